"""Words that rules for English questions share."""

STATES = (
    "normal|abnormal|healthy|unhealthy|enlarged|calcified|fractured|midline|shifted|deviated|dilated|distended|"
    "enhancing|ring-enhancing|obscured|symmetric|symmetrical|intact|clear|swollen|flattened|atrophied|hyperinflated|"
    "pathologic|homogenous|homogeneous|irregular|round|oval|wedge-shaped|large|big|small|white|black|bright|dark|"
    "hyperdense|hypodense"
)
"""What something in a picture can be said to be, as a pattern."""

SEEN = "present|visible|seen|shown|visualized|identified"
"""What says that something is there, as a pattern."""


def plain(question: str) -> str:
    """Collapse white space and drop the final question mark or full stop."""
    return " ".join(question.split()).rstrip(" ?.")
