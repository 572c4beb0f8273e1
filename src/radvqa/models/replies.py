"""What a chat model replied, without what stands around the answer."""

import re

_THOUGHT = re.compile(r"^.*</think>|<think>.*", re.DOTALL)
_PREFIX = re.compile(
    r"^[\s*_#>]*(?:(?:the\s+)?(?:final\s+|correct\s+)?(?:answer|response)(?:\s+is)?|答案(?:是|为)?|回答)"
    r"[\s*_]*[:：][\s*_]*",
    re.IGNORECASE,
)


def clean(reply: str, *, prompt: str = "", first_line: bool = False) -> str:
    """Leave of a reply the answer.

    What a reasoning model thought aloud (``<think>…</think>``, also when the limit of tokens cut it), the prompt,
    when a server repeats it, and an announcement such as ``Answer:`` or ``The answer is:`` are dropped.

    Args:
        reply: as the server gave it.
        prompt: what was asked last.
        first_line: keep the first line that is not empty, for models that go on to explain.
    """
    answer = _THOUGHT.sub("", reply).strip()
    if prompt.strip():
        answer = answer.removeprefix(prompt.strip()).strip()
    answer = _PREFIX.sub("", answer).strip()
    return answer.split("\n", 1)[0].strip() if first_line else answer
