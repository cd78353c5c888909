"""Which partners can be asked, by the credentials that are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from services.trigger.connectors.contract import Api, Connector, Pace
from services.trigger.connectors.hubspot import HubspotCrm
from services.trigger.connectors.intercom import VERSION, IntercomContacts
from services.trigger.connectors.jira import JiraUsers
from services.trigger.connectors.shopify import ShopifyOrders
from services.trigger.connectors.stripe import StripeCustomers
from services.trigger.connectors.zendesk import ZendeskUsers
from shared.runtime.clock import Machine
from shared.runtime.trust import authorities
from shared.security.partners import NO_ACCESS, PartnerAccess, basic, bearer


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """All partners that may be asked, and how many requests a second go to each."""

    per_second: float = 5.0
    hubspot: PartnerAccess = NO_ACCESS
    zendesk: PartnerAccess = NO_ACCESS
    intercom: PartnerAccess = NO_ACCESS
    jira: PartnerAccess = NO_ACCESS
    shopify: PartnerAccess = NO_ACCESS
    stripe: PartnerAccess = NO_ACCESS


def connectors_of(
    given: Credentials, machine: Machine, transport: httpx.AsyncBaseTransport | None = None
) -> dict[str, Connector]:
    """The partners that can be asked, by provider; `transport` takes the network's place."""

    def api(access: PartnerAccess, headers: Mapping[str, str]) -> Api:
        client = httpx.AsyncClient(
            base_url=access.url,
            headers=headers,
            trust_env=False,
            transport=transport,
            verify=authorities(),
        )
        return Api(client, Pace(machine, given.per_second))

    found: dict[str, Connector] = {}
    if given.hubspot.usable:
        found["hubspot"] = HubspotCrm(api(given.hubspot, bearer(given.hubspot.token)))
    if given.zendesk.usable:
        found["zendesk"] = ZendeskUsers(
            api(given.zendesk, basic(f"{given.zendesk.user}/token", given.zendesk.token))
        )
    if given.intercom.usable:
        headers = {**bearer(given.intercom.token), "intercom-version": VERSION}
        found["intercom"] = IntercomContacts(api(given.intercom, headers))
    if given.jira.usable:
        found["jira"] = JiraUsers(api(given.jira, basic(given.jira.user, given.jira.token)))
    if given.shopify.usable:
        found["shopify"] = ShopifyOrders(api(given.shopify, {"x-shopify-access-token": given.shopify.token}))
    if given.stripe.usable:
        found["stripe"] = StripeCustomers(api(given.stripe, bearer(given.stripe.token)))
    return found
