"""What a conversation asks: its last question, about its last picture."""

from collections.abc import Sequence

from radvqa.serving.openai.errors import ApiError
from radvqa.serving.openai.wire import Message, Part


def asked_of(messages: Sequence[Message], longest: int) -> tuple[str, str]:
    """Find the question and the picture's address; earlier turns and the system's words are overlooked.

    Args:
        messages: of the conversation.
        longest: question, in letters.

    Raises:
        ApiError: when there is none or it is unclear which is meant.
    """
    said = [(place, message) for place, message in enumerate(messages) if message.role == "user"]
    question = next((text for _, message in reversed(said) if (text := _text(message))), "")
    if not question:
        raise ApiError("There is no question: the last message of the user must hold text.", param="messages")
    if len(question) > longest:
        raise ApiError(
            f"The question has {len(question)} letters; {longest} are read.", param="messages", code="too_long"
        )
    for place, message in reversed(said):
        pictures = _pictures(message, place)
        if len(pictures) > 1:
            raise ApiError(
                f"Message {place} holds {len(pictures)} pictures; these models look at one. Ask about each by itself.",
                param=f"messages.{place}.content",
            )
        if pictures:
            return question, pictures[0]
    raise ApiError("There is no picture: add one to the message, as a part of type image_url.", param="messages")


def _parts(message: Message) -> list[Part]:
    if isinstance(message.content, str):
        return [Part(type="text", text=message.content)]
    return list(message.content or [])


def _text(message: Message) -> str:
    return (
        "\n".join(part.text for part in _parts(message) if part.type == "text" and part.text)
        .strip()
        .encode("utf-8", "replace")
        .decode()
    )


def _pictures(message: Message, place: int) -> list[str]:
    found = []
    for part in _parts(message):
        if part.type == "image_url" and part.image_url is not None:
            found.append(part.image_url if isinstance(part.image_url, str) else part.image_url.url)
        elif part.type not in ("text", "image_url"):
            raise ApiError(
                f"Message {place} holds a part of type {part.type!r}; these models read text and image_url only.",
                param=f"messages.{place}.content",
            )
    return found
