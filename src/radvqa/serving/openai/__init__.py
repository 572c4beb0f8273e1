"""The same models behind the address of OpenAI's chat API, for clients and evaluation harnesses that know only that."""
