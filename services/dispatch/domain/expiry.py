"""How long a certificate is still believed, and when somebody must hear of its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

SOON = timedelta(days=14)
"""From then on it is warned of. Who renews by itself does so earlier: 30 days before with certbot."""

_DAY = timedelta(days=1)


class Standing(StrEnum):
    """How a certificate stands."""

    GOOD = "good"
    SOON = "expires"
    OVER = "expired"


def days_left(ends_at: datetime, now: datetime) -> float:
    """Days until an end; below 0 once it is over."""
    return (ends_at - now) / _DAY


def standing(ends_at: datetime, now: datetime) -> Standing:
    """How a certificate that ends at an instant stands at another.

    It is believed up to and including its last second (RFC 5280, 4.1.2.5).
    """
    if now > ends_at:
        return Standing.OVER
    return Standing.SOON if ends_at - now <= SOON else Standing.GOOD
