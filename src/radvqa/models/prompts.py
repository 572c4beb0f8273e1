"""How a sample is put to a model that reads free text."""

from string import ascii_uppercase

from pydantic import BaseModel, ConfigDict, Field, field_validator

from radvqa.sample import Sample


class Prompts(BaseModel):
    """Templates; ``{question}``, ``{options}`` and ``{context}`` stand for what the sample holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vqa: str = Field("Question: {question} Answer:", description="Of a question.")
    choice: str = Field("Question: {question} Options: {options} Answer:", description="Of a multiple-choice question.")
    caption: str = Field("Caption:", description="Of a picture that is to be described.")

    @field_validator("vqa", "choice", "caption")
    @classmethod
    def _fills(cls, template: str) -> str:
        try:
            template.format(question="", options="", context="")
        except (KeyError, IndexError, ValueError):
            raise ValueError("a prompt may hold {question}, {options} and {context}, and no other braces") from None
        return template

    def of(self, sample: Sample) -> str:
        """Write the prompt of a sample."""
        shown = " ".join(f"({letter}) {text}" for letter, text in zip(ascii_uppercase, sample.options, strict=False))
        template: str = sample.prompt or getattr(self, sample.task)
        return template.format(question=sample.question.strip(), options=shown, context=sample.context.strip())
