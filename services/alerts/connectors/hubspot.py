"""HubSpot: a ticket for each case, found again by a property that no two tickets may share."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from services.alerts.connectors.markup import to_html, to_text
from services.alerts.domain.outside import Case, Comment, Note, Outside, marked
from shared.errors import SendError
from shared.partners.api import Api, lost, objects, text

PROPERTY = "afterword_case"
SUBJECT_CHARS = 255
_PRIORITIES = {"urgent": "URGENT", "high": "HIGH"}
_CLOSED = "CLOSED"
_TO_CONTACT, _TO_TICKET = 16, 228
"""Ids of HubSpot's own associations: of a ticket with a contact, of a note with a ticket."""
_TICKETS = "/crm/v3/objects/tickets"
_MOST_NOTES = 100
_MOST_NAMES = 500


class HubSpot:
    """Speaks with one account.

    Args:
        pipeline: Id of the pipeline that new tickets go to.
    """

    name = "hubspot"

    def __init__(self, api: Api, pipeline: str) -> None:
        self._api = api
        self._pipeline = pipeline
        self._prepared = False
        self._site = ""
        self._names: dict[str, str] = {}

    async def find(self, ticket_id: UUID) -> str | None:
        """See `Helpdesk.find`; by the unique property, which no search index delays."""
        await self._prepare()
        found = await self._api.ask("GET", f"{_TICKETS}/{ticket_id}?idProperty={PROPERTY}", known=False)
        return text(found, "id") or None

    async def create(self, case: Case) -> str:
        """See `Helpdesk.create`; HubSpot refuses a second ticket with the same property.

        Raises:
            SendError: also when the pipeline is unknown or has no open stage.
        """
        await self._prepare()
        properties = {
            "subject": case.headline(SUBJECT_CHARS),
            "content": marked(case.body, case.ticket_id),
            "hs_pipeline": self._pipeline,
            "hs_pipeline_stage": await self._stage(self._pipeline, solved=False),
            "hs_ticket_priority": _PRIORITIES.get(case.priority, "MEDIUM"),
            PROPERTY: str(case.ticket_id),
        }
        contact = await self._contact(case.email)
        associations = [_association(contact, _TO_CONTACT)] if contact else []
        body = {"properties": properties, "associations": associations}
        found = text(await self._api.ask("POST", _TICKETS, body), "id")
        if not found:
            raise lost("ticket")
        return found

    async def read(self, outside_id: str) -> Outside | None:
        """See `Helpdesk.read`."""
        ticket = await self._ticket(outside_id)
        stage = text(ticket, "properties", "hs_pipeline_stage")
        if not stage:
            return None
        stages = await self._stages(text(ticket, "properties", "hs_pipeline"))
        solved = any(text(one, "id") == stage and _closed(one) for one in stages)
        comments = await self._notes(outside_id)
        return Outside(outside_id, await self._url(outside_id), solved, comments)

    async def comment(self, outside_id: str, note: Note) -> None:
        """See `Helpdesk.comment`; as a note, which nobody but the helpdesk's own people see."""
        properties = {
            "hs_timestamp": self._api.now.isoformat(timespec="milliseconds"),
            "hs_note_body": to_html(marked(note.text, note.key)),
        }
        body = {"properties": properties, "associations": [_association(outside_id, _TO_TICKET)]}
        await self._api.ask("POST", "/crm/v3/objects/notes", body)

    async def settle(self, outside_id: str, *, solved: bool) -> None:
        """See `Helpdesk.settle`; by the first such stage of the pipeline in which the ticket is now."""
        ticket = await self._ticket(outside_id)
        stage = await self._stage(text(ticket, "properties", "hs_pipeline"), solved=solved)
        await self._api.ask("PATCH", _at(outside_id), {"properties": {"hs_pipeline_stage": stage}})

    async def _ticket(self, outside_id: str) -> dict[str, Any]:
        query = "properties=hs_pipeline,hs_pipeline_stage"
        return await self._api.ask("GET", f"{_at(outside_id)}?{query}", known=False)

    async def _prepare(self) -> None:
        """Have the property by which tickets are found; made once for each account."""
        if self._prepared:
            return
        at = f"/crm/v3/properties/tickets/{PROPERTY}"
        if not await self._api.ask("GET", at, known=False):
            wanted = {
                "name": PROPERTY,
                "label": "Afterword case",
                "type": "string",
                "fieldType": "text",
                "groupName": "ticketinformation",
                "hasUniqueValue": True,
            }
            await self._api.ask("POST", "/crm/v3/properties/tickets", wanted)
        self._prepared = True

    async def _stages(self, pipeline: str) -> list[dict[str, Any]]:
        at = f"/crm/v3/pipelines/tickets/{quote(pipeline, safe='')}/stages"
        found = objects(await self._api.ask("GET", at), "results")
        if not found:
            raise lost("stage")
        return found

    async def _stage(self, pipeline: str, *, solved: bool) -> str:
        stages = sorted(await self._stages(pipeline), key=_place)
        found = next((text(one, "id") for one in stages if _closed(one) is solved), "")
        if not found:
            raise SendError("the pipeline has no stage for it", permanent=True)
        return found

    async def _contact(self, email: str) -> str:
        """The contact with this address; "" without one."""
        if not email:
            return ""
        at = f"/crm/v3/objects/contacts/{quote(email, safe='')}?idProperty=email"
        return text(await self._api.ask("GET", at, known=False), "id")

    async def _notes(self, outside_id: str) -> tuple[Comment, ...]:
        linked = f"/crm/v4/objects/tickets/{quote(outside_id, safe='')}/associations/notes?limit=500"
        ids = {text(one, "toObjectId") for one in objects(await self._api.ask("GET", linked), "results")}
        newest = sorted(filter(None, ids), key=lambda one: (len(one), one))[-_MOST_NOTES:]
        if not newest:
            return ()
        body = {
            "properties": ["hs_note_body", "hs_created_by_user_id"],
            "inputs": [{"id": one} for one in newest],
        }
        found = objects(await self._api.ask("POST", "/crm/v3/objects/notes/batch/read", body), "results")
        return tuple([await self._comment(one) for one in sorted(found, key=_by_age)])

    async def _comment(self, one: dict[str, Any]) -> Comment:
        by = await self._name(text(one, "properties", "hs_created_by_user_id"))
        return Comment(text(one, "id"), to_text(text(one, "properties", "hs_note_body")), by)

    async def _name(self, user_id: str) -> str:
        """Who a user is; "" where the token may not see that. Asked once for each user."""
        if not user_id:
            return ""
        if user_id not in self._names:
            at = f"/crm/v3/owners/{quote(user_id, safe='')}?idProperty=userId"
            try:
                owner = await self._api.ask("GET", at, known=False)
            except SendError as error:
                if not error.permanent:
                    raise
                owner = {}
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            self._names[user_id] = f"{text(owner, 'firstName')} {text(owner, 'lastName')}".strip()
        return self._names[user_id]

    async def _url(self, outside_id: str) -> str:
        """Where people see a ticket; the account says its own number and domain, once."""
        if not self._site:
            account = await self._api.ask("GET", "/account-info/v3/details")
            domain = text(account, "uiDomain") or "app.hubspot.com"
            self._site = f"https://{domain}/contacts/{text(account, 'portalId')}"
        return f"{self._site}/record/0-5/{outside_id}"


def _association(to: str, kind: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
    return {"to": {"id": to}, "types": types}


def _closed(stage: dict[str, Any]) -> bool:
    return text(stage, "metadata", "ticketState").upper() == _CLOSED


def _place(stage: dict[str, Any]) -> int:
    place = stage.get("displayOrder")
    return place if isinstance(place, int) else 0


def _by_age(note: dict[str, Any]) -> tuple[int, str]:
    return len(text(note, "id")), text(note, "id")


def _at(outside_id: str) -> str:
    return f"{_TICKETS}/{quote(outside_id, safe='')}"
