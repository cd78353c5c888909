"""Shopify: parcels. A fulfilled order is `order.shipped`, a delivered parcel `order.delivered`.

Who ordered is only in the order, so a delivery is completed by the order that was told before. An order by
telephone has a number and no e-mail address, one over the counter names nobody.
"""

from __future__ import annotations

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, Node, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading
from shared.contracts.touchpoints import Subject, TouchpointAccount, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed, mac_base64

SOURCE = "/webhooks/shopify"
FULFILLED, PARCEL = "orders/fulfilled", "fulfillment_events/create"


def read(call: Call, _signed: Signed, _options: Options) -> Reading:
    """The touchpoint of a request.

    Raises:
        BadBodyError: It is not what its topic says.
    """
    topic, found = call.header("X-Shopify-Topic"), read_object(call.body)
    if topic == FULFILLED:
        return _fulfilled(found)
    if topic == PARCEL:
        return _parcel(found)
    return Ignored(f"only the topics {FULFILLED} and {PARCEL} are of interest")


def _fulfilled(order: Node) -> Reading:
    number, customer, company = order.at("id").need(), order.at("customer"), order.at("company")
    names = (customer.at(part).text() for part in ("first_name", "last_name"))
    own, firm = customer.at("id").text(MAX_ID), company.at("id").text(MAX_ID)
    email = order.at("email").text() or customer.at("email").text()
    phone = order.at("phone").text() or customer.at("phone").text()
    if not (own or email or phone):
        if "email" not in order.value:
            raise order.at("email").wrong("missing")
        return Ignored("the order names nobody, as when it was sold over the counter")
    touchpoint = touchpoint_of(
        order,
        {
            "occurred_at": order.at("updated_at").instant(),
            "contact": TouchpointContact(
                id=f"shopify:{own}" if own else "",
                email=email,
                phone=phone,
                name=" ".join(name for name in names if name),
                locale=order.at("customer_locale").text(),
                role="recipient",
            ),
            "account": TouchpointAccount(id=f"shopify:{firm}", name=company.at("name").text())
            if firm
            else None,
            "subject": Subject(kind="order", id=number),
        },
    )
    event_id = f"order/{number}/{order.at('updated_at').text()}"[:MAX_ID]
    digest, known_by = digest_of(order.value), (Gap("shopify", Named.ORDER, number).name,)
    report = Report(event_id, digest, SOURCE, event_id, "order.shipped", touchpoint, aka=known_by)
    return (report,)


def _parcel(event: Node) -> Reading:
    if event.at("status").need() != "delivered":
        return Ignored("the parcel was not delivered")
    order = event.at("order_id").need()
    touchpoint = touchpoint_of(
        event,
        {
            "occurred_at": event.at("happened_at").instant(),
            "contact": TouchpointContact(role="recipient"),
            "subject": Subject(kind="order", id=order),
        },
    )
    event_id, gap = f"parcel/{event.at('id').need()}"[:MAX_ID], Gap("shopify", Named.ORDER, order)
    digest = digest_of(event.value)
    return (Report(event_id, digest, SOURCE, event_id, "order.delivered", touchpoint, gap),)


PROVIDER = Provider("shopify", schemes.over_body("X-Shopify-Hmac-Sha256", mac_base64), read)
