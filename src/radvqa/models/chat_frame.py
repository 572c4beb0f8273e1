"""What a checkpoint's own chat template puts around a picture, a question and its answer."""

from dataclasses import dataclass
from typing import Any

from radvqa.errors import WeightsError

_QUESTION, _ANSWER = "⟦question⟧", "⟦answer⟧"


@dataclass(frozen=True)
class ChatFrame:
    """A conversation of one turn, cut where picture, question and answer stand.

    Attributes:
        before: tokens up to the picture, the system's message among them.
        after: tokens that close the picture; they do not depend on the question.
        lead: text between them and the question; mostly empty.
        closing: text after the question, up to where the answer begins.
        end: the token that ends an answer.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    lead: str
    closing: str
    end: int

    @classmethod
    def of(cls, tokenizer: Any, name: str, image_token: int, closing_token: int, system: str | None) -> "ChatFrame":
        """Cut what the template writes.

        Args:
            tokenizer: carries the template.
            name: of the checkpoint, for messages.
            image_token: stands once in the template's text for the picture.
            closing_token: comes right after the picture, if the template writes it.
            system: the system's message; the template's own when None.

        Raises:
            WeightsError: when there is no template, or it cannot be cut.
        """
        if not tokenizer.chat_template:
            raise WeightsError(
                f"{name}: its tokeniser carries no chat template, so it is unknown how it was taught to be asked; copy "
                f"chat_template.jinja from where the checkpoint was published."
            )
        content = [{"type": "image"}, {"type": "text", "text": _QUESTION}]
        said: list[dict[str, Any]] = [] if system is None else [{"role": "system", "content": system}]
        asked = [*said, {"role": "user", "content": content}]
        answered = [*asked, {"role": "assistant", "content": _ANSWER}]
        opening = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(answered, tokenize=False)
        image, closes = tokenizer.convert_ids_to_tokens([image_token, closing_token])
        head, _, tail = opening.partition(image)
        if opening.count(image) != 1 or tail.count(_QUESTION) != 1 or not whole.startswith(opening + _ANSWER):
            raise WeightsError(
                f"{name}: its chat template does not write one {image}, then the question, then the answer; is it the "
                f"template that was published with the checkpoint?"
            )
        lead, closing = tail.split(_QUESTION)
        after = closes if lead.startswith(closes) else ""
        ending = _tokens(tokenizer, whole.removeprefix(opening + _ANSWER))
        if not ending or ending[0] not in tokenizer.get_added_vocab().values():
            raise WeightsError(
                f"{name}: its chat template writes no token of its own after an answer, so none would end."
            )
        before = _tokens(tokenizer, head)
        return cls(tuple(before), tuple(_tokens(tokenizer, after)), lead.removeprefix(after), closing, ending[0])

    def prompt(self, tokenizer: Any, question: str) -> list[int]:
        """Tokens after the picture, up to where the answer begins."""
        return _tokens(tokenizer, f"{self.lead}{question}{self.closing}")


def _tokens(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
