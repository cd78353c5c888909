"""AfterShip: tracking updates. Delivered is `order.delivered`; other steps of a parcel are ignored."""

from __future__ import annotations

import re

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, Node, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading
from shared.contracts.touchpoints import Subject, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed, mac_base64

SOURCE = "/webhooks/aftership"
_ZONE = re.compile(r"T.*(?:Z|[+-]\d{2}:?\d{2})$")


def read(call: Call, _signed: Signed, _options: Options) -> Reading:
    """The touchpoint of an update.

    Raises:
        BadBodyError: It is none.
    """
    found = read_object(call.body)
    if found.at("event").need() != "tracking_update":
        return Ignored("only tracking updates are of interest")
    parcel = found.at("msg")
    if parcel.at("tag").need() != "Delivered":
        return Ignored("the parcel was not delivered")
    number = parcel.at("tracking_number").need()
    order = parcel.at("order_id").text(MAX_ID) or number
    person = _recipient(parcel)
    touchpoint = touchpoint_of(
        parcel,
        {
            "occurred_at": _delivered_at(found, parcel),
            "contact": person,
            "subject": Subject(kind="order", id=order),
        },
    )
    gap = None if person.email else Gap("aftership", Named.ORDER, order)
    event_id = found.at("event_id").need()
    return (Report(event_id, digest_of(found.value), SOURCE, event_id, "order.delivered", touchpoint, gap),)


def _delivered_at(found: Node, parcel: Node) -> object:
    """When the last checkpoint was, else when AfterShip learnt it.

    Carriers often tell the hour at the place without its zone, or the day alone: that is no instant, and east
    of Greenwich it would lie in the future.
    """
    stops = parcel.at("checkpoints").items()
    if stops and _ZONE.search(stops[-1].at("checkpoint_time").text()):
        return stops[-1].at("checkpoint_time").instant()
    return found.at("ts").seconds()


def _recipient(parcel: Node) -> TouchpointContact:
    customers, emails = parcel.at("customers").items(), parcel.at("emails").items()
    first = customers[0] if customers else Node(None)
    email = first.at("email").text() or (emails[0].text() if emails else "")
    name = first.at("name").text() or parcel.at("customer_name").text()
    return TouchpointContact(email=email, name=name if email else "", role="recipient")


PROVIDER = Provider("aftership", schemes.over_body("aftership-hmac-sha256", mac_base64), read)
