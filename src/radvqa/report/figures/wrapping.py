"""Lines of text for figures, where a Chinese sign is as wide as two letters and needs no space to break at."""

import unicodedata


def letters(text: str) -> int:
    """Return the width of a text in letters; a wide sign counts as two."""
    return sum(2 if _wide(sign) else 1 for sign in text)


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Break a text into lines: at spaces, around wide signs, and inside words that are longer than a line.

    Args:
        text: of one line; white space is collapsed.
        width: of a line, in letters.
        indent: put before every line but the first.

    Returns:
        At least one line.
    """
    lines, line = [], ""
    for word in _words(" ".join(text.split())):
        if letters(line + word.rstrip()) <= width:
            line += word
            continue
        if line.strip() and letters(indent + word.rstrip()) <= width:
            lines.append(line.rstrip())
            line = indent
        for sign in word:
            if letters(line + sign) > width and not sign.isspace():
                lines.append(line)
                line = indent
            line += sign
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    """Split a text where a line may end: after spaces, and before and after wide signs."""
    words: list[str] = []
    for sign in text:
        joined = bool(words) and not words[-1].endswith(" ") and not _wide(words[-1][-1]) and not _wide(sign)
        if words and (joined or sign == " "):
            words[-1] += sign
        else:
            words.append(sign)
    return words


def _wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in "WF"
