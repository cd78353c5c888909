"""Freshdesk: a ticket for each case, found again by a tag of its own.

Freshdesk mails whoever a ticket is of, when it is made and when it is solved. So the requester is a contact
without an address, known by an id of ours; the real address stands in the description.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from services.alerts.connectors.markup import to_html
from services.alerts.domain.outside import Case, Comment, Note, Outside, marked
from shared.errors import SendError
from shared.partners.api import Api, lost, text

SUBJECT_CHARS = 255
_PRIORITIES = {"urgent": 4, "high": 3}
_MEDIUM = 2
_OPEN, _RESOLVED, _CLOSED = 2, 4, 5
_SOLVED = frozenset({str(_RESOLVED), str(_CLOSED)})
_PER_PAGE = 100
_MOST_PAGES = 5
_MOST_NAMES = 500
_EXTERNAL = "unique_external_id"


class Freshdesk:
    """Speaks with one account; `site` is its address as people open it."""

    name = "freshdesk"

    def __init__(self, api: Api, site: str) -> None:
        self._api = api
        self._site = site.rstrip("/")
        self._names: dict[str, str] = {}

    async def find(self, ticket_id: UUID) -> str | None:
        """See `Helpdesk.find`; the tickets of the case's own requester, which no search index delays."""
        query = f"{_EXTERNAL}={requester(ticket_id)}&per_page={_PER_PAGE}"
        listed = await self._api.listed(f"/api/v2/tickets?{query}", unknown=_EXTERNAL)
        found = [text(one, "id") for one in listed if ticket_id.hex in _tags(one)]
        return min(filter(None, found), key=lambda one: (len(one), one), default=None)

    async def create(self, case: Case) -> str:
        """See `Helpdesk.create`."""
        ticket = {
            "subject": case.headline(SUBJECT_CHARS),
            "description": to_html(marked(case.body, case.ticket_id), case.link),
            "name": case.name or "A customer",
            _EXTERNAL: requester(case.ticket_id),
            "status": _OPEN,
            "priority": _PRIORITIES.get(case.priority, _MEDIUM),
            "source": 2,
            "tags": ["afterword", case.ticket_id.hex],
        }
        answer = await self._api.ask("POST", "/api/v2/tickets", ticket)
        found = text(answer, "id")
        if not found:
            raise lost("ticket")
        return found

    async def read(self, outside_id: str) -> Outside | None:
        """See `Helpdesk.read`."""
        answer = await self._api.ask("GET", _at(outside_id), known=False)
        status = text(answer, "status")
        if not status or answer.get("deleted") is True:
            return None
        comments = [await self._comment(one) for one in await self._conversations(outside_id)]
        url = f"{self._site}/a/tickets/{outside_id}"
        return Outside(outside_id, url, status in _SOLVED, tuple(comments))

    async def comment(self, outside_id: str, note: Note) -> None:
        """See `Helpdesk.comment`."""
        body = {"body": to_html(marked(note.text, note.key)), "private": True}
        await self._api.ask("POST", f"{_at(outside_id)}/notes", body)

    async def settle(self, outside_id: str, *, solved: bool) -> None:
        """See `Helpdesk.settle`."""
        await self._api.ask("PUT", _at(outside_id), {"status": _RESOLVED if solved else _OPEN})

    async def _conversations(self, outside_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number in range(1, _MOST_PAGES + 1):
            query = f"per_page={_PER_PAGE}&page={number}"
            page = await self._api.listed(f"{_at(outside_id)}/conversations?{query}")
            found.extend(page)
            if len(page) < _PER_PAGE:
                break
        return found

    async def _comment(self, one: dict[str, Any]) -> Comment:
        by = "The customer" if one.get("incoming") is True else await self._name(text(one, "user_id"))
        return Comment(text(one, "id"), text(one, "body_text"), by)

    async def _name(self, user_id: str) -> str:
        """Who an agent is; "" where this key may not see that. Asked once for each agent."""
        if not user_id:
            return ""
        if user_id not in self._names:
            try:
                agent = await self._api.ask("GET", f"/api/v2/agents/{quote(user_id, safe='')}", known=False)
            except SendError as error:
                if not error.permanent:
                    raise
                agent = {}
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            self._names[user_id] = text(agent, "contact", "name")
        return self._names[user_id]


def requester(ticket_id: UUID) -> str:
    """The external id of the contact whom a case's ticket is of."""
    return f"afterword-{ticket_id}"


def _tags(found: dict[str, Any]) -> list[object]:
    tags = found.get("tags")
    return tags if isinstance(tags, list) else []


def _at(outside_id: str) -> str:
    return f"/api/v2/tickets/{quote(outside_id, safe='')}"
