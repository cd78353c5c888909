"""Stripe: renewals, ends and paid cycles of subscriptions.

The customer is the account and its billing contact. `metadata.account_id` of the subscription names the
account by the company's own id; else it is `stripe:<customer>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, Node, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading
from shared.contracts.touchpoints import Subject, TouchpointAccount, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed

SOURCE = "/webhooks/stripe"
RENEWS, PAID, ENDED = "contract.renewal_date_set", "billing_cycle.closed", "contract.ended"
PER_ATTEMPT = frozenset({"pending_webhooks", "request"})
Fields = dict[str, object]


def read(call: Call, _signed: Signed, _options: Options) -> Reading:
    """The touchpoint of an event.

    Raises:
        BadBodyError: It is none, or lacks what its type has.
    """
    found = read_object(call.body)
    reader = READERS.get(found.at("type").need())
    told = reader(found.at("data", "object")) if reader else None
    if told is None:
        return Ignored("only renewals, ends and paid cycles of subscriptions are of interest")
    kind, fields = told
    event_id, thing = found.at("id").need(), found.at("data", "object")
    own = f"stripe:{thing.at('customer').need()}"
    email, name = thing.at("customer_email").text(), thing.at("customer_name").text()
    account = _metadata(thing).at("account_id").text(MAX_ID) or own
    touchpoint = touchpoint_of(
        thing,
        {
            "occurred_at": found.at("created").seconds(),
            "contact": TouchpointContact(id=own, email=email, role="billing"),
            "account": TouchpointAccount(id=account, name=name),
            **fields,
        },
    )
    gap = Gap("stripe", Named.CONTACT, own) if kind == PAID and not email else None
    digest = digest_of(found.value, PER_ATTEMPT)
    return (Report(event_id, digest, SOURCE, event_id, kind, touchpoint, gap),)


def _upcoming(invoice: Node) -> tuple[str, Fields] | None:
    """A renewal that comes nearer: the day of the next payment, else the day its period begins."""
    payment = invoice.at("next_payment_attempt")
    if payment.value is None:
        lines = invoice.at("lines", "data").items()
        if not lines:
            raise invoice.at("lines", "data").wrong("missing, and there is no next_payment_attempt")
        payment = lines[0].at("period", "start")
    fields: Fields = {"renewal_on": payment.seconds().date(), "subject": _contract(_subscription(invoice))}
    return RENEWS, fields


def _paid(invoice: Node) -> tuple[str, Fields] | None:
    if invoice.at("billing_reason").text() not in ("subscription_cycle", "subscription_create"):
        return None
    return PAID, {"subject": Subject(kind="invoice", id=invoice.at("id").need())}


def _updated(subscription: Node) -> tuple[str, Fields] | None:
    """A date that moved, or an end that was announced; since 2025 the period is in the items."""
    subject = _contract(subscription.at("id").need())
    if subscription.at("cancel_at_period_end").flag() or subscription.at("cancel_at").value is not None:
        return ENDED, {"subject": subject}
    items = subscription.at("items", "data").items()
    ends = [node for node in (subscription, *items) if node.at("current_period_end").value is not None]
    if not ends:
        return None
    on = ends[0].at("current_period_end").seconds().date()
    return RENEWS, {"renewal_on": on, "subject": subject}


def _deleted(subscription: Node) -> tuple[str, Fields] | None:
    return ENDED, {"subject": _contract(subscription.at("id").need())}


def _contract(subscription_id: str) -> Subject:
    return Subject(kind="contract", id=subscription_id)


def _subscription(invoice: Node) -> str:
    """Whose invoice it is; newer versions of the API moved it."""
    newer = invoice.at("parent", "subscription_details", "subscription").text(MAX_ID)
    return newer or invoice.at("subscription").need()


def _metadata(thing: Node) -> Node:
    details = thing.at("parent", "subscription_details", "metadata")
    return details if details.value is not None else thing.at("metadata")


READERS: Mapping[str, Callable[[Node], tuple[str, Fields] | None]] = {
    "invoice.upcoming": _upcoming,
    "invoice.paid": _paid,
    "customer.subscription.updated": _updated,
    "customer.subscription.deleted": _deleted,
}

PROVIDER = Provider("stripe", schemes.stripe, read)
