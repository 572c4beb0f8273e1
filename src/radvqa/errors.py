"""What a user sees when something is wrong: one clear sentence that names the thing and the way out."""


class RadvqaError(Exception):
    """A mistake that the user can mend; printed as one paragraph, never as a traceback."""


class DataError(RadvqaError):
    """Data that cannot be used: a file, row, key or image, named in the message."""


class ImageError(DataError):
    """An image file that cannot be decoded safely."""


class RecipeError(RadvqaError):
    """A recipe with an unknown key, a value out of range or a contradiction."""


class RunError(RadvqaError):
    """A run folder that is missing, unfinished, in use or damaged."""


class WeightsError(RadvqaError):
    """Pretrained weights that cannot be found or do not fit."""


def nearest(word: str, known: list[str]) -> str:
    """Return '; did you mean X?' for the closest known word, or the list of known words."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}."
