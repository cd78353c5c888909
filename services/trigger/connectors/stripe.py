"""Stripe: customers by id, one at a time; whoever was deleted there is not known any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from services.trigger.connectors.contract import Api, Found, text
from services.trigger.domain.reports import Gap, Named
from shared.contracts.touchpoints import TouchpointContact

PREFIX = "stripe:"


class StripeCustomers:
    """Looks billing contacts up; `api` reaches Stripe with a restricted key that may read customers."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def find(self, gaps: Sequence[Gap]) -> Mapping[Gap, Found]:
        """See `Connector.find`."""
        found: dict[Gap, Found] = {}
        for gap in gaps:
            if gap.kind is not Named.CONTACT:
                continue
            own = quote(gap.id.removeprefix(PREFIX), safe="")
            known = await self._api.ask("GET", f"/v1/customers/{own}", unknown=True)
            if text(known, "email") or text(known, "phone"):
                locales = known.get("preferred_locales")
                found[gap] = Found(
                    TouchpointContact(
                        id=gap.id,
                        email=text(known, "email"),
                        phone=text(known, "phone"),
                        name=text(known, "name"),
                        locale=str(locales[0]) if isinstance(locales, list) and locales else "",
                    )
                )
        return found
