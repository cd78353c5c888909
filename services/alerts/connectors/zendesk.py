"""Zendesk Support: a ticket for each case, found again by its external id."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from services.alerts.domain.outside import Case, Comment, Note, Outside, marked
from shared.partners.api import Api, lost, objects, text

_SOLVED = frozenset({"solved", "closed"})
_PRIORITIES = {"urgent": "urgent", "high": "high"}
_GONE = "deleted"


class Zendesk:
    """Speaks with one subdomain; `site` is its address as people open it."""

    name = "zendesk"

    def __init__(self, api: Api, site: str) -> None:
        self._api = api
        self._site = site.rstrip("/")

    async def find(self, ticket_id: UUID) -> str | None:
        """See `Helpdesk.find`."""
        answer = await self._api.ask("GET", f"/api/v2/tickets.json?external_id={ticket_id}")
        wanted = str(ticket_id)
        found = [text(one, "id") for one in objects(answer, "tickets") if text(one, "external_id") == wanted]
        return min(found, key=lambda one: (len(one), one)) if found else None

    async def create(self, case: Case) -> str:
        """See `Helpdesk.create`; a private first comment, so the customer is sent nothing."""
        ticket = {
            "subject": case.subject,
            "comment": {"body": marked(case.body, case.ticket_id), "public": False},
            "external_id": str(case.ticket_id),
            "priority": _PRIORITIES.get(case.priority, "normal"),
            "tags": ["afterword"],
        }
        if case.email:
            ticket["requester"] = {"email": case.email, "name": case.name or case.email}
        key = {"idempotency-key": f"afterword-{case.ticket_id}"}
        answer = await self._api.ask("POST", "/api/v2/tickets.json", {"ticket": ticket}, headers=key)
        found = text(answer, "ticket", "id")
        if not found:
            raise lost("ticket")
        return found

    async def read(self, outside_id: str) -> Outside | None:
        """See `Helpdesk.read`."""
        at = f"/api/v2/tickets/{quote(outside_id, safe='')}"
        answer = await self._api.ask("GET", f"{at}.json", known=False)
        status = text(answer, "ticket", "status").lower()
        if not status or status == _GONE:
            return None
        written = await self._api.ask("GET", f"{at}/comments.json?sort_order=desc&include=users", known=False)
        names = {text(user, "id"): text(user, "name") for user in objects(written, "users")}
        comments = tuple(
            Comment(
                text(one, "id"),
                text(one, "plain_body") or text(one, "body"),
                names.get(text(one, "author_id"), ""),
            )
            for one in reversed(objects(written, "comments"))
        )
        return Outside(outside_id, f"{self._site}/agent/tickets/{outside_id}", status in _SOLVED, comments)

    async def comment(self, outside_id: str, note: Note) -> None:
        """See `Helpdesk.comment`."""
        body = {"ticket": {"comment": {"body": marked(note.text, note.key), "public": False}}}
        await self._api.ask("PUT", f"/api/v2/tickets/{quote(outside_id, safe='')}.json", body)

    async def settle(self, outside_id: str, *, solved: bool) -> None:
        """See `Helpdesk.settle`."""
        body = {"ticket": {"status": "solved" if solved else "open"}}
        await self._api.ask("PUT", f"/api/v2/tickets/{quote(outside_id, safe='')}.json", body)
