"""Jira: users by account id, some at once. Whoever hides their address from everybody stays unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from services.trigger.connectors.contract import Api, Found, entries, text
from services.trigger.domain.reports import Gap, Named
from shared.contracts.touchpoints import TouchpointContact

MOST = 50
PREFIX = "jira:"


class JiraUsers:
    """Looks reporters up; `api` reaches the site with an API token."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def find(self, gaps: Sequence[Gap]) -> Mapping[Gap, Found]:
        """See `Connector.find`."""
        found: dict[Gap, Found] = {}
        wanted = {gap.id.removeprefix(PREFIX): gap for gap in gaps if gap.kind is Named.CONTACT}
        ids = list(wanted)
        for start in range(0, len(ids), MOST):
            listed = "&".join(f"accountId={quote(one, safe='')}" for one in ids[start : start + MOST])
            answer = await self._api.ask("GET", f"/rest/api/3/user/bulk?maxResults={MOST}&{listed}")
            for user in entries(answer, "values"):
                gap = wanted.get(text(user, "accountId"))
                if gap and text(user, "emailAddress"):
                    contact = TouchpointContact(
                        id=gap.id,
                        email=text(user, "emailAddress"),
                        name=text(user, "displayName"),
                        zone=text(user, "timeZone"),
                        locale=text(user, "locale"),
                    )
                    found[gap] = Found(contact)
        return found
