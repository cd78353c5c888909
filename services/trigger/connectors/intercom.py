"""Intercom: contacts by Intercom's own id, or by the id that the company gave them; one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.trigger.connectors.contract import Api, Found, entries, text
from services.trigger.domain.reports import Gap, Named
from shared.contracts.touchpoints import TouchpointContact

PREFIX = "intercom:"
VERSION = "2.11"
"""Of the API that answers are read by."""


class IntercomContacts:
    """Looks contacts up; `api` reaches Intercom with an access token."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def find(self, gaps: Sequence[Gap]) -> Mapping[Gap, Found]:
        """See `Connector.find`."""
        found: dict[Gap, Found] = {}
        for gap in gaps:
            if gap.kind is not Named.CONTACT:
                continue
            known = await self._known(gap.id)
            if known and (text(known, "email") or text(known, "phone")):
                found[gap] = Found(_contact(gap, known))
        return found

    async def _known(self, name: str) -> Mapping[str, Any] | None:
        own = name.removeprefix(PREFIX)
        if own != name:
            return await self._api.ask("GET", f"/contacts/{quote(own, safe='')}", unknown=True) or None
        query = {"field": "external_id", "operator": "=", "value": name}
        answer = await self._api.ask("POST", "/contacts/search", {"query": query})
        return next(iter(entries(answer, "data")), None)


def _contact(gap: Gap, known: Mapping[str, Any]) -> TouchpointContact:
    return TouchpointContact(
        id=gap.id, email=text(known, "email"), phone=text(known, "phone"), name=text(known, "name")
    )
