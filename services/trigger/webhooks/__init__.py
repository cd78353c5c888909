"""Foreign requests as touchpoints: one module a sender, no database. The routes are in `api/webhooks.py`.

The contract of a sender is `contract.Provider`.
"""

from __future__ import annotations

from services.trigger.webhooks import (
    aftership,
    freshdesk,
    generic,
    hubspot,
    intercom,
    jira,
    segment,
    shopify,
    stripe,
    zendesk,
)
from services.trigger.webhooks.contract import Provider

PROVIDERS: tuple[Provider, ...] = (
    generic.PROVIDER,
    zendesk.PROVIDER,
    hubspot.PROVIDER,
    intercom.PROVIDER,
    freshdesk.PROVIDER,
    jira.PROVIDER,
    stripe.PROVIDER,
    segment.PROVIDER,
    shopify.PROVIDER,
    aftership.PROVIDER,
)
"""Every sender with a route of its own."""
