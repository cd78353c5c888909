"""HubSpot: figures as properties of contacts and companies, a hundred records at once.

The properties are made when there is something to put into them. Contacts are found by address, companies by
one of their properties; both by HubSpot's own id where a backend gave it. A batch is written by HubSpot's own
ids: it refuses to update several contacts by their addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.scoring.connectors.batches import Outcomes, apart, refused
from services.scoring.domain.crm import (
    GONE,
    NO_NAME,
    UNKNOWN,
    Found,
    Kind,
    Refused,
    Shape,
    Subject,
    Taken,
    Trend,
    Update,
    Value,
    one_of,
    shape_of,
)
from shared.errors import SendError
from shared.partners.api import Api, lost, objects, text

GROUP = "afterword"
BY_NAME = "name"
AT_ONCE = 100
_OBJECTS = {Kind.CONTACT: "contacts", Kind.ACCOUNT: "companies"}
_MORE_ADDRESSES = "hs_additional_emails"
_NOT_FOUND, _INVALID = 404, 400
_TYPES: Mapping[Shape, tuple[str, str]] = {
    Shape.NUMBER: ("number", "number"),
    Shape.DATE: ("date", "date"),
    Shape.TREND: ("enumeration", "select"),
}


class HubSpot:
    """Speaks with one account.

    Args:
        company_key: Property of companies that holds the id by which backends name the account; `name`: its
            name is compared.
    """

    name = "hubspot"
    kinds = frozenset(Kind)
    at_once = AT_ONCE

    def __init__(self, api: Api, company_key: str = BY_NAME) -> None:
        self._api = api
        self._key = company_key
        self._known: dict[Kind, set[str]] = {}

    async def find(self, kind: Kind, subjects: Sequence[Subject]) -> Mapping[UUID, Found | Refused]:
        """See `Crm.find`."""
        found: dict[UUID, Found | Refused] = {}
        own = {one.own_id(self.name): one.id for one in subjects if one.own_id(self.name).isdigit()}
        for record in await self._read(kind, own, ""):
            if text(record, "id") in own:
                found[own[text(record, "id")]] = Found(text(record, "id"))
        rest = [one for one in subjects if one.id not in found]
        if kind is Kind.ACCOUNT or not rest:
            return found | await self._by_key(rest)
        # An address that HubSpot takes for none does not hold up the others.
        return found | await apart(self._by_address, rest, {_INVALID}, _unknown)

    async def _by_address(self, subjects: Sequence[Subject]) -> dict[UUID, Found | Refused]:
        records: dict[str, str] = {}
        for record in await self._read(Kind.CONTACT, [one.email for one in subjects if one.email], "email"):
            more = text(record, "properties", _MORE_ADDRESSES).split(";")
            for address in (text(record, "properties", "email"), *more):
                records[address.strip().lower()] = text(record, "id")
        return {
            one.id: Found(own) if (own := records.get(one.email.lower(), "")) else UNKNOWN for one in subjects
        }

    async def _by_key(self, subjects: Sequence[Subject]) -> dict[UUID, Found | Refused]:
        keys = {one.id: (one.name if self._key == BY_NAME else one.external_id).strip() for one in subjects}
        # Of texts the search compares values in lower case alone.
        values = sorted({key.lower() for key in keys.values() if key})
        records: dict[str, list[str]] = {}
        if values:
            wanted = {"propertyName": self._key, "operator": "IN", "values": values}
            body = {"filterGroups": [{"filters": [wanted]}], "properties": [self._key], "limit": 2 * AT_ONCE}
            answer = await self._api.ask("POST", "/crm/v3/objects/companies/search", body)
            for record in objects(answer, "results"):
                key = text(record, "properties", self._key).lower()
                records.setdefault(key, []).append(text(record, "id"))
        return {
            one.id: one_of(records.get(keys[one.id].lower(), [])) if keys[one.id] else NO_NAME
            for one in subjects
        }

    async def _read(self, kind: Kind, ids: Iterable[str], by: str) -> list[dict[str, Any]]:
        inputs = [{"id": one} for one in dict.fromkeys(ids)]
        if not inputs:
            return []
        body = {"inputs": inputs, "properties": ["email", _MORE_ADDRESSES] if by else []}
        answer = await self._api.ask(
            "POST", f"{_at(kind)}/batch/read", body | ({"idProperty": by} if by else {})
        )
        return objects(answer, "results")

    async def write(self, kind: Kind, updates: Sequence[Update]) -> Mapping[UUID, Taken | Refused]:
        """See `Crm.write`."""
        known = await self._prepared(kind, updates)

        async def update(some: Sequence[Update]) -> Outcomes:
            inputs = [{"id": one.record, "properties": _properties(one, known)} for one in some]
            return _outcomes(
                some, await self._api.ask("POST", f"{_at(kind)}/batch/update", {"inputs": inputs})
            )

        outcomes = await apart(update, updates, {_INVALID, _NOT_FOUND}, refused)
        if any(isinstance(one, Refused) for one in outcomes.values()):
            self._known.pop(kind, None)
        return outcomes

    async def _prepared(self, kind: Kind, updates: Sequence[Update]) -> set[str]:
        """The properties there are, with those made that figures of these updates need."""
        at = f"/crm/v3/properties/{_OBJECTS[kind]}"
        if kind not in self._known:
            answer = await self._api.ask("GET", at)
            self._known[kind] = {text(one, "name") for one in objects(answer, "results")}
        known = self._known[kind]
        needed = {name for one in updates for name, value in one.figures.items() if value is not None}
        missing = sorted(name for name in needed if property_of(name) not in known)
        if missing:
            if not await self._api.ask("GET", f"{at}/groups/{GROUP}", known=False):
                await self._api.ask("POST", f"{at}/groups", {"name": GROUP, "label": "Afterword"})
            made = [definition(kind, name) for name in missing]
            await self._api.ask("POST", f"{at}/batch/create", {"inputs": made})
            known |= {property_of(name) for name in missing}
        return known


def _unknown(subject: Subject, _error: SendError) -> dict[UUID, Found | Refused]:
    return {subject.id: UNKNOWN}


def property_of(figure: str) -> str:
    """The name of a figure's property."""
    return f"{GROUP}_{figure}"


def definition(kind: Kind, figure: str) -> dict[str, Any]:
    """The property of a figure, as it is made."""
    of_type, field = _TYPES[shape_of(figure)]
    words = figure.replace("_", " ")
    made: dict[str, Any] = {
        "name": property_of(figure),
        "label": f"Afterword {'last ' if kind is Kind.CONTACT else ''}{words}",
        "type": of_type,
        "fieldType": field,
        "groupName": GROUP,
    }
    if of_type == "enumeration":
        made["options"] = [
            {"label": one.title(), "value": one.value, "displayOrder": place, "hidden": False}
            for place, one in enumerate(Trend)
        ]
    return made


def _properties(update: Update, known: set[str]) -> dict[str, str]:
    """Properties as HubSpot takes them: all are texts, and an empty one clears."""
    named = ((property_of(name), value) for name, value in update.figures.items())
    return {name: _text(value) for name, value in named if name in known}


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def _outcomes(updates: Sequence[Update], answer: Mapping[str, Any]) -> dict[UUID, Taken | Refused]:
    """What came of each: named in an error, or written."""
    faults: dict[str, Refused] = {}
    for error in objects(answer, "errors"):
        context = error.get("context")
        ids = context.get("ids") if isinstance(context, dict) else None
        category = text(error, "category")
        refused = GONE if category == "OBJECT_NOT_FOUND" else Refused(category or "refused without a reason")
        for one in ids if isinstance(ids, list) else [text(error, "id")]:
            faults[str(one)] = refused
    written = {text(one, "id") for one in objects(answer, "results")}
    if len(written) + len(faults) < len({one.record for one in updates}):
        raise lost("outcome of each record")
    return {one.id: faults.get(one.record) or Taken(frozenset(one.figures)) for one in updates}


def _at(kind: Kind) -> str:
    return f"/crm/v3/objects/{_OBJECTS[kind]}"
