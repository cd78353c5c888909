"""Shopify: who ordered, by the ids of orders, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.trigger.connectors.contract import Api, Found, entries, text
from services.trigger.domain.reports import Gap, Named
from shared.contracts.touchpoints import TouchpointAccount, TouchpointContact

MOST = 100
VERSION = "2025-10"
FIELDS = "id,email,phone,customer,customer_locale,company"


class ShopifyOrders:
    """Looks orders up; `api` reaches the shop with an access token of the Admin API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def find(self, gaps: Sequence[Gap]) -> Mapping[Gap, Found]:
        """See `Connector.find`."""
        found: dict[Gap, Found] = {}
        wanted = {gap.id: gap for gap in gaps if gap.kind is Named.ORDER and gap.id.isdigit()}
        ids = list(wanted)
        for start in range(0, len(ids), MOST):
            listed = ",".join(ids[start : start + MOST])
            path = f"/admin/api/{VERSION}/orders.json?status=any&limit={MOST}&fields={FIELDS}&ids={listed}"
            for order in entries(await self._api.ask("GET", path), "orders"):
                gap = wanted.get(text(order, "id"))
                if gap and (text(order, "email") or text(order, "phone")):
                    found[gap] = Found(_contact(order), _company(order))
        return found


def _contact(order: Mapping[str, Any]) -> TouchpointContact:
    customer = _inner(order, "customer")
    names = (text(customer, "first_name"), text(customer, "last_name"))
    own = text(customer, "id")
    return TouchpointContact(
        id=f"shopify:{own}" if own else "",
        email=text(order, "email"),
        phone=text(order, "phone"),
        name=" ".join(name for name in names if name),
        locale=text(order, "customer_locale"),
    )


def _company(order: Mapping[str, Any]) -> TouchpointAccount | None:
    company = _inner(order, "company")
    own = text(company, "id")
    return TouchpointAccount(id=f"shopify:{own}", name=text(company, "name")) if own else None


def _inner(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}
