"""What each helpdesk promises; `tests/contract/test_helpdesks.py` holds the connectors to it."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from services.alerts.domain.outside import Case, Note, Outside


class Helpdesk(Protocol):
    """A helpdesk that keeps a copy of each case.

    Every method may raise SendError: refused for good, or failed and may be tried again.
    """

    name: str

    async def find(self, ticket_id: UUID) -> str | None:
        """The helpdesk's own id of a case that was put there before; None without one."""
        ...

    async def create(self, case: Case) -> str:
        """Put a case there; returns the helpdesk's own id. The customer gets no mail of it."""
        ...

    async def read(self, outside_id: str) -> Outside | None:
        """How it stands there; None when somebody deleted it."""
        ...

    async def comment(self, outside_id: str, note: Note) -> None:
        """Add what a rep wrote, for the helpdesk's own people alone."""
        ...

    async def settle(self, outside_id: str, *, solved: bool) -> None:
        """Mark it solved, or open again."""
        ...
