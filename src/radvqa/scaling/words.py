"""How numbers are written in sentences about a law."""


def number(value: float, most: int = 4) -> str:
    """Write a number with few digits and thousands separated: ``1.193``, ``123,400``, ``1.2e+18``.

    Args:
        value: the number.
        most: digits that count; above 1,000 four at least.
    """
    if abs(value) >= 1e15 or 0 < abs(value) < 1e-4:
        return f"{value:.{most}g}".replace("-", "−")
    if abs(value) >= 1000:
        return f"{float(f'{value:.{max(most, 4)}g}'):,.0f}".replace("-", "−")
    return f"{value:.{most}g}".replace("-", "−")
