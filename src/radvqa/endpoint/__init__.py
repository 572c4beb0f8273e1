"""A client of language models behind an OpenAI-compatible address, and what remembers their replies."""
