"""Stripe: renewal dates, renewals, ends and paid cycles of subscriptions.

A next cycle that is paid, and is not free, renews the contract. The customer is the account and its billing
contact. `metadata.account_id` of the subscription names the account by the company's own id; else it is
`stripe:<customer>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, Node, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading
from shared.contracts.touchpoints import Subject, TouchpointAccount, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed

SOURCE = "/webhooks/stripe"
RENEWS, RENEWED, ENDED = "contract.renewal_date_set", "contract.renewed", "contract.ended"
PAID = "billing_cycle.closed"
PER_ATTEMPT = frozenset({"pending_webhooks", "request"})
Fields = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Told:
    """One of the things that an event of Stripe says.

    Attributes:
        kind: the type of the touchpoint.
        fields: of the touchpoint, beside who it is about.
        asked: whether its billing contact is who would be asked, so that an id alone is not enough.
        suffix: tells it apart from what else the event says.
    """

    kind: str
    fields: Fields
    asked: bool = False
    suffix: str = ""


Reader = Callable[[Node], tuple[_Told, ...]]


def read(call: Call, _signed: Signed, _options: Options) -> Reading:
    """The touchpoints of an event.

    Raises:
        BadBodyError: It is none, or lacks what its type has.
    """
    found = read_object(call.body)
    reader = READERS.get(found.at("type").need())
    told = reader(found.at("data", "object")) if reader else ()
    if not told:
        return Ignored("only renewals, ends and paid cycles of subscriptions are of interest")
    return tuple(_report(found, one) for one in told)


def _report(found: Node, told: _Told) -> Report:
    sent, thing = found.at("id").need(), found.at("data", "object")
    event_id = sent + told.suffix
    own = f"stripe:{thing.at('customer').need()}"
    email, name = thing.at("customer_email").text(), thing.at("customer_name").text()
    account = _metadata(thing).at("account_id").text(MAX_ID) or own
    touchpoint = touchpoint_of(
        thing,
        {
            "occurred_at": found.at("created").seconds(),
            "contact": TouchpointContact(id=own, email=email, role="billing"),
            "account": TouchpointAccount(id=account, name=name),
            **told.fields,
        },
    )
    gap = Gap("stripe", Named.CONTACT, own) if told.asked and not email else None
    digest = digest_of(found.value, PER_ATTEMPT)
    called = (sent,) if told.suffix else None
    return Report(event_id, digest, SOURCE, event_id, told.kind, touchpoint, gap, own=called)


def _upcoming(invoice: Node) -> tuple[_Told, ...]:
    """A renewal that comes nearer: the day of the next payment, else the day its period begins."""
    payment = invoice.at("next_payment_attempt")
    if payment.value is None:
        lines = invoice.at("lines", "data").items()
        if not lines:
            raise invoice.at("lines", "data").wrong("missing, and there is no next_payment_attempt")
        payment = lines[0].at("period", "start")
    subject = _contract(_subscription(invoice).need())
    return (_Told(RENEWS, {"renewal_on": payment.seconds().date(), "subject": subject}),)


def _paid(invoice: Node) -> tuple[_Told, ...]:
    """A paid cycle; each but the first renews the contract, unless its total is nothing."""
    reason = invoice.at("billing_reason").text()
    if reason not in ("subscription_cycle", "subscription_create"):
        return ()
    paid = _Told(PAID, {"subject": Subject(kind="invoice", id=invoice.at("id").need())}, asked=True)
    contract = _subscription(invoice).text(MAX_ID)
    if reason == "subscription_create" or not contract or invoice.at("total").text() in ("", "0"):
        return (paid,)
    # The period of an invoice looks one back: it ends where the next cycle begins. The day on which it was
    # paid comes after the next date was set, and would call off what is planned for that one.
    fields: Fields = {"subject": _contract(contract)}
    if invoice.at("period_end").value is not None:
        fields["occurred_at"] = invoice.at("period_end").seconds()
    return (paid, _Told(RENEWED, fields, suffix="/renewed"))


def _updated(subscription: Node) -> tuple[_Told, ...]:
    """A date that moved, or an end that was announced; since 2025 the period is in the items."""
    subject = _contract(subscription.at("id").need())
    if subscription.at("cancel_at_period_end").flag() or subscription.at("cancel_at").value is not None:
        return (_Told(ENDED, {"subject": subject}),)
    items = subscription.at("items", "data").items()
    ends = [node for node in (subscription, *items) if node.at("current_period_end").value is not None]
    if not ends:
        return ()
    on = ends[0].at("current_period_end").seconds().date()
    return (_Told(RENEWS, {"renewal_on": on, "subject": subject}),)


def _deleted(subscription: Node) -> tuple[_Told, ...]:
    return (_Told(ENDED, {"subject": _contract(subscription.at("id").need())}),)


def _contract(subscription_id: str) -> Subject:
    return Subject(kind="contract", id=subscription_id)


def _subscription(invoice: Node) -> Node:
    """Whose invoice it is; newer versions of the API moved it."""
    newer = invoice.at("parent", "subscription_details", "subscription")
    return newer if newer.value is not None else invoice.at("subscription")


def _metadata(thing: Node) -> Node:
    details = thing.at("parent", "subscription_details", "metadata")
    return details if details.value is not None else thing.at("metadata")


READERS: Mapping[str, Reader] = {
    "invoice.upcoming": _upcoming,
    "invoice.paid": _paid,
    "customer.subscription.updated": _updated,
    "customer.subscription.deleted": _deleted,
}

PROVIDER = Provider("stripe", schemes.stripe, read)
