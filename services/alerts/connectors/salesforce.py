"""Salesforce: a case for each case, made and found by an external id field."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from services.alerts.domain.outside import Case, Comment, Note, Outside, mark, marked
from shared.errors import SendError
from shared.partners.api import Api, lost, objects, text
from shared.partners.salesforce import DATA, literal

FIELD = "AfterwordCase__c"
"""The field of Case that an administrator makes once: text of 36, external id, unique."""
SUBJECT_CHARS = 255
DESCRIPTION_CHARS = 32_000
COMMENT_BYTES = 4_000
_PRIORITIES = {"urgent": "High", "high": "High"}
_MOST_COMMENTS = 100
_COMMENT = "Id, CommentBody, CreatedBy.Name"


class Salesforce:
    """Speaks with one organisation; `site` is its address as people open it."""

    name = "salesforce"

    def __init__(self, api: Api, site: str) -> None:
        self._api = api
        self._site = site.rstrip("/")

    async def find(self, ticket_id: UUID) -> str | None:
        """See `Helpdesk.find`."""
        answer = await self._api.ask("GET", f"{_external(ticket_id)}?fields=Id", known=False)
        return text(answer, "Id") or None

    async def create(self, case: Case) -> str:
        """See `Helpdesk.create`; an upsert, so that Salesforce itself makes no second one.

        Raises:
            SendError: also, as HTTP 404, when the organisation's cases have no field for the external id.
        """
        fields = {
            "Subject": case.headline(SUBJECT_CHARS),
            "Description": marked(case.body, case.ticket_id)[:DESCRIPTION_CHARS],
            "Priority": _PRIORITIES.get(case.priority, "Medium"),
        }
        contact = await self._contact(case.email)
        if contact:
            fields["ContactId"] = contact
        found = text(await self._api.ask("PATCH", _external(case.ticket_id), fields), "id")
        if not found:
            raise lost("case")
        return found

    async def read(self, outside_id: str) -> Outside | None:
        """See `Helpdesk.read`."""
        answer = await self._api.ask("GET", f"{_at(outside_id)}?fields=Id,IsClosed", known=False)
        found = text(answer, "Id")
        if not found:
            return None
        newest = f"ORDER BY CreatedDate DESC LIMIT {_MOST_COMMENTS}"
        wanted = f"SELECT {_COMMENT} FROM CaseComment WHERE ParentId = {literal(found)} {newest}"  # noqa: S608 - quoted
        comments = tuple(
            Comment(text(one, "Id"), text(one, "CommentBody"), text(one, "CreatedBy", "Name"))
            for one in reversed(await self._query(wanted))
        )
        url = f"{self._site}/lightning/r/Case/{quote(found, safe='')}/view"
        return Outside(outside_id, url, answer.get("IsClosed") is True, comments)

    async def comment(self, outside_id: str, note: Note) -> None:
        """See `Helpdesk.comment`; one that customers do not see, cut where Salesforce would refuse it."""
        body = marked(shortened(note.text, COMMENT_BYTES - len(mark(note.key)) - 2), note.key)
        comment = {"ParentId": outside_id, "CommentBody": body, "IsPublished": False}
        await self._api.ask("POST", f"{DATA}/sobjects/CaseComment", comment)

    async def settle(self, outside_id: str, *, solved: bool) -> None:
        """See `Helpdesk.settle`; by the first such status of the organisation."""
        wanted = "SELECT ApiName, IsClosed FROM CaseStatus ORDER BY SortOrder"
        statuses = await self._query(wanted)
        found = next((text(one, "ApiName") for one in statuses if one.get("IsClosed") is solved), "")
        if not found:
            raise SendError("there is no status for it", permanent=True)
        await self._api.ask("PATCH", _at(outside_id), {"Status": found})

    async def _contact(self, email: str) -> str:
        """The one contact with this address; "" without one, and of several none is guessed."""
        if not email:
            return ""
        wanted = f"SELECT Id FROM Contact WHERE Email = {literal(email)} LIMIT 2"  # noqa: S608 - quoted
        found = await self._query(wanted)
        return text(found[0], "Id") if len(found) == 1 else ""

    async def _query(self, wanted: str) -> list[dict[str, object]]:
        answer = await self._api.ask("GET", f"{DATA}/query?q={quote(wanted, safe='')}")
        return objects(answer, "records")


def shortened(said: str, most: int) -> str:
    """A text that is no longer than so many bytes, with a sign where something was left out."""
    encoded = said.encode()
    if len(encoded) <= most:
        return said
    return encoded[: most - len("…".encode())].decode(errors="ignore") + "…"


def _external(ticket_id: UUID) -> str:
    return f"{DATA}/sobjects/Case/{FIELD}/{ticket_id}"


def _at(outside_id: str) -> str:
    return f"{DATA}/sobjects/Case/{quote(outside_id, safe='')}"
