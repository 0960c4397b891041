"""How sure a share is that was counted."""

from math import sqrt

Z = 1.959964
"""The standard normal distribution's 97.5 % quantile."""


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score, without a correction for continuity.

    Source: Wilson 1927, doi 10.1080/01621459.1927.10502953.

    Args:
        right: how many were counted, 0 to `total`.
        total: of how many, 1 or more.

    Returns:
        Its low and its high end, 0..1.
    """
    share, square = right / total, Z * Z
    middle = share + square / (2 * total)
    reach = Z * sqrt(share * (1 - share) / total + square / (4 * total * total))
    return max(0.0, (middle - reach) / (1 + square / total)), min(1.0, (middle + reach) / (1 + square / total))
