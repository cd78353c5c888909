"""Zendesk: users by id, a hundred at once, with their organisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.trigger.connectors.contract import Api, Found, entries, text
from services.trigger.domain.reports import Gap, Named
from shared.contracts.touchpoints import TouchpointAccount, TouchpointContact

MOST = 100
PREFIX = "zendesk:"


class ZendeskUsers:
    """Looks requesters up; `api` reaches the subdomain with an API token."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def find(self, gaps: Sequence[Gap]) -> Mapping[Gap, Found]:
        """See `Connector.find`."""
        found: dict[Gap, Found] = {}
        wanted = {gap.id.removeprefix(PREFIX): gap for gap in gaps if gap.kind is Named.CONTACT}
        ids = [user_id for user_id in wanted if user_id.isdigit()]
        for start in range(0, len(ids), MOST):
            listed = ",".join(ids[start : start + MOST])
            path = f"/api/v2/users/show_many.json?ids={listed}&include=organizations"
            answer = await self._api.ask("GET", path)
            firms = {text(firm, "id"): firm for firm in entries(answer, "organizations")}
            for user in entries(answer, "users"):
                gap = wanted.get(text(user, "id"))
                if gap and (text(user, "email") or text(user, "phone")):
                    contact = TouchpointContact(
                        id=gap.id,
                        email=text(user, "email"),
                        phone=text(user, "phone"),
                        name=text(user, "name"),
                        locale=text(user, "locale"),
                    )
                    found[gap] = Found(contact, _account(firms.get(text(user, "organization_id"))))
        return found


def _account(firm: Mapping[str, object] | None) -> TouchpointAccount | None:
    """The organisation under the company's own id, else under Zendesk's."""
    if firm is None:
        return None
    return TouchpointAccount(
        id=text(firm, "external_id") or f"{PREFIX}{text(firm, 'id')}", name=text(firm, "name")
    )
