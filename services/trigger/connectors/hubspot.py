"""HubSpot: the contact and the company that a ticket or a deal belongs to, a hundred at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.trigger.connectors.contract import Api, Found, entries, text
from services.trigger.domain.reports import Gap, Named
from shared.contracts.touchpoints import TouchpointAccount, TouchpointContact

MOST = 100
OBJECTS = {Named.TICKET: "tickets", Named.DEAL: "deals"}
PERSON = ("email", "firstname", "lastname", "phone", "jobtitle", "hs_language")
COMPANY = ("name", "industry", "numberofemployees")


class HubspotCrm:
    """Looks associations up; `api` reaches HubSpot with a private app's token."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def find(self, gaps: Sequence[Gap]) -> Mapping[Gap, Found]:
        """See `Connector.find`."""
        found: dict[Gap, Found] = {}
        for kind, objects in OBJECTS.items():
            wanted = {gap.id: gap for gap in gaps if gap.kind is kind}
            for start in range(0, len(wanted), MOST):
                part = dict(list(wanted.items())[start : start + MOST])
                found |= await self._of(objects, part)
        return found

    async def _of(self, objects: str, wanted: Mapping[str, Gap]) -> dict[Gap, Found]:
        """One kind of thing: associations first, then the people and companies behind them."""
        people = await self._associated(objects, "contacts", list(wanted))
        if not people:
            return {}
        firms = await self._associated(objects, "companies", list(wanted))
        persons = await self._read("contacts", sorted(set(people.values())), PERSON)
        companies = await self._read("companies", sorted(set(firms.values())), COMPANY) if firms else {}
        return {
            gap: Found(_contact(people[thing], persons[people[thing]]), _company(firms.get(thing), companies))
            for thing, gap in wanted.items()
            if people.get(thing) in persons
        }

    async def _associated(self, objects: str, others: str, ids: Sequence[str]) -> dict[str, str]:
        """Thing -> the first other thing that it is associated with."""
        path = f"/crm/v4/associations/{objects}/{others}/batch/read"
        answer = await self._api.ask("POST", path, {"inputs": [{"id": one} for one in ids]})
        found: dict[str, str] = {}
        for result in entries(answer, "results"):
            origin, to = result.get("from"), entries(result, "to")
            if isinstance(origin, dict) and to:
                found[text(origin, "id")] = text(to[0], "toObjectId")
        return found

    async def _read(
        self, objects: str, ids: Sequence[str], properties: Sequence[str]
    ) -> dict[str, Mapping[str, Any]]:
        """Things by id, with some of their properties."""
        body = {"inputs": [{"id": one} for one in ids], "properties": list(properties)}
        answer = await self._api.ask("POST", f"/crm/v3/objects/{objects}/batch/read", body)
        return {
            text(one, "id"): one["properties"]
            for one in entries(answer, "results")
            if isinstance(one.get("properties"), dict)
        }


def _contact(own: str, known: Mapping[str, Any]) -> TouchpointContact:
    return TouchpointContact(
        id=f"hubspot:{own}",
        email=text(known, "email"),
        phone=text(known, "phone"),
        name=" ".join(part for part in (text(known, "firstname"), text(known, "lastname")) if part),
        job_function=text(known, "jobtitle"),
        locale=text(known, "hs_language"),
    )


def _company(own: str | None, companies: Mapping[str, Mapping[str, Any]]) -> TouchpointAccount | None:
    known = companies.get(own or "")
    if known is None:
        return None
    return TouchpointAccount(
        id=f"hubspot:{own}",
        name=text(known, "name"),
        industry=text(known, "industry"),
        size=text(known, "numberofemployees"),
    )
