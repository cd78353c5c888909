"""With what partners are asked, and how they are told who asks."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PartnerAccess:
    """Where a partner's API is, and with what it is asked; without address or token it is not."""

    url: str = ""
    user: str = ""
    token: str = field(default="", repr=False)

    @property
    def usable(self) -> bool:
        """Whether the partner can be asked."""
        return bool(self.url and self.token)


NO_ACCESS = PartnerAccess()


def basic(user: str, password: str) -> dict[str, str]:
    """The header of basic authentication."""
    return {"authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    """The header of whoever holds a token."""
    return {"authorization": f"Bearer {token}"}
