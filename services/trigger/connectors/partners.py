"""Which partners can be asked, by the credentials that are there."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from services.trigger.connectors.contract import Api, Connector, Pace
from services.trigger.connectors.hubspot import HubspotCrm
from services.trigger.connectors.intercom import VERSION, IntercomContacts
from services.trigger.connectors.jira import JiraUsers
from services.trigger.connectors.shopify import ShopifyOrders
from services.trigger.connectors.stripe import StripeCustomers
from services.trigger.connectors.zendesk import ZendeskUsers
from shared.runtime.clock import Machine


@dataclass(frozen=True, slots=True)
class Access:
    """Where a partner's API is, and with what it is asked; without address or token it is not."""

    url: str = ""
    user: str = ""
    token: str = field(default="", repr=False)

    @property
    def usable(self) -> bool:
        """Whether the partner can be asked."""
        return bool(self.url and self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """All partners that may be asked, and how many requests a second go to each."""

    per_second: float = 5.0
    hubspot: Access = field(default_factory=Access)
    zendesk: Access = field(default_factory=Access)
    intercom: Access = field(default_factory=Access)
    jira: Access = field(default_factory=Access)
    shopify: Access = field(default_factory=Access)
    stripe: Access = field(default_factory=Access)


def connectors_of(
    given: Credentials, machine: Machine, transport: httpx.AsyncBaseTransport | None = None
) -> dict[str, Connector]:
    """The partners that can be asked, by provider; `transport` takes the network's place."""

    def api(access: Access, headers: Mapping[str, str]) -> Api:
        client = httpx.AsyncClient(base_url=access.url, headers=headers, trust_env=False, transport=transport)
        return Api(client, Pace(machine, given.per_second))

    found: dict[str, Connector] = {}
    if given.hubspot.usable:
        found["hubspot"] = HubspotCrm(api(given.hubspot, _bearer(given.hubspot)))
    if given.zendesk.usable:
        found["zendesk"] = ZendeskUsers(api(given.zendesk, _basic(given.zendesk, "/token")))
    if given.intercom.usable:
        headers = {**_bearer(given.intercom), "intercom-version": VERSION}
        found["intercom"] = IntercomContacts(api(given.intercom, headers))
    if given.jira.usable:
        found["jira"] = JiraUsers(api(given.jira, _basic(given.jira)))
    if given.shopify.usable:
        found["shopify"] = ShopifyOrders(api(given.shopify, {"x-shopify-access-token": given.shopify.token}))
    if given.stripe.usable:
        found["stripe"] = StripeCustomers(api(given.stripe, _bearer(given.stripe)))
    return found


def _bearer(access: Access) -> dict[str, str]:
    return {"authorization": f"Bearer {access.token}"}


def _basic(access: Access, suffix: str = "") -> dict[str, str]:
    pair = b64encode(f"{access.user}{suffix}:{access.token}".encode()).decode()
    return {"authorization": f"Basic {pair}"}
