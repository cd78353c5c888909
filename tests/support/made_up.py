"""Events that a story of the present product does not bring forth, made from those that it does.

Other senders will bring them (providers' callbacks, later features); their handlers are there already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from shared.bus.model import Outgoing
from shared.contracts.cases import QuestionDecided
from shared.contracts.deliveries import (
    BounceKind,
    ContactResubscribed,
    ContactUnsubscribed,
    Delivery,
    DeliveryBounced,
    DeliveryComplained,
    DeliveryDelivered,
    DeliveryFailed,
    DeliveryHandedOver,
    DeliveryLinkReady,
    DeliveryReplied,
    DeliverySuppressed,
    DeliveryUncertain,
)
from shared.contracts.directory import OrganisationChanged
from shared.contracts.envelope import Event, binary_headers
from shared.contracts.forms import Permission
from shared.contracts.messages import MessageKind, MessageRequested
from shared.contracts.model import Channel, Payload
from shared.contracts.permissions import PermissionNoted
from shared.contracts.programmes import ProgrammePublished
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.responses import (
    IncentiveChanged,
    ResponseAmended,
    ResponseHeld,
    ResponseReleased,
    ResponseStarted,
    ResponseSubmitted,
    ResponseWithdrawn,
)
from shared.contracts.scores import ChurnRising, ScoreDropped, ThemeRising
from shared.contracts.surveys import SurveyCancelled, SurveyExtended, SurveyRequested, SurveyShared
from shared.contracts.tickets import (
    TicketEscalated,
    TicketJoined,
    TicketOpened,
    TicketRecovered,
    TicketReopened,
    TicketState,
)
from shared.contracts.touchpoints import PRESET_TOUCHPOINTS
from shared.runtime.ids import derive
from shared.security.access import Role
from tests.support.house import House, someone
from tests.support.townsfolk import hire

P = TypeVar("P", bound=Payload)
QUIET = 12
LATER = 90
"""A version above all that a story reaches."""


async def said(house: House, model: type[P]) -> list[P]:
    """All events of a type so far, in the order of their commits."""
    service = {"deliveries": "dispatch", "responses": "collector", "tickets": "alerts", "messages": "alerts"}
    schema = service.get(model.TOPIC.value.rpartition(".")[2], "trigger")
    rows = await house.admin.fetch(f"select headers, value from {schema}.outbox order by id")
    return [
        model.model_validate_json(row["value"])
        for row in rows
        if dict(json.loads(row["headers"]))["ce_type"] == model.TYPE
    ]


async def hear(house: House, payloads: Sequence[Payload]) -> None:
    """Put events on the log as if another service had sent them."""
    records = []
    for payload in payloads:
        identity = derive("made up", payload.TYPE, payload.model_dump_json())
        snapshot = getattr(payload, "snapshot", None)
        key = snapshot.key if snapshot else str(getattr(payload, "contact_id", "key"))
        event = Event(str(identity), "/made-up", payload.TYPE, house.clock.now(), "made up", key, payload)
        value = payload.model_dump_json().encode()
        records.append(Outgoing(payload.TOPIC.value, key.encode(), value, binary_headers(event)))
    await house.bus.produce(records)
    await house.settle()


async def every_touchpoint(house: House) -> None:
    """Each touchpoint that has a meaning here, told of a person nobody has heard of."""
    for number, kind in enumerate(PRESET_TOUCHPOINTS):
        more: dict[str, Any] = {"renewal_on": date(2027, 1, 1)} if "renewal" in kind else {}
        subject = {"kind": "thing", "id": str(number)}
        company = {"id": f"company-{number}", "name": f"Company {number}"}
        person = someone(f"person{number}", company["id"])
        await house.tell(kind, contact=person, account=company, subject=subject, product="Cloud", **more)
    await house.settle()


async def everything_else(house: House) -> None:
    """All other events that somebody reads, each about a survey of its own that nobody has answered."""
    await _ask_more_people(house)
    asked = await said(house, SurveyRequested)
    answered = await said(house, ResponseSubmitted)
    quiet = [one for one in asked if one.survey_id not in {a.survey_id for a in answered}][-QUIET:]
    handed = {one.survey_id: one for one in await said(house, DeliveryHandedOver) if one.step == 0}
    first = [handed[one.survey_id] for one in quiet]
    (organisation, *_), programmes = (
        await said(house, OrganisationChanged),
        await said(house, ProgrammePublished),
    )
    await hear(house, [*_sudden(answered[0], quiet[7:9]), *_responses(answered)])
    await hear(house, _begun(quiet[8:10], first[8:10]))
    await hear(
        house,
        [
            *_deliveries(first[:7]),
            *_second_thoughts(first[7], house),
            *_shared(quiet[0]),
            *_surveys(quiet[9:], house),
            *_messages(quiet, house),
        ],
    )
    await hear(house, [*_tickets(await said(house, TicketOpened))])
    await hire(house, "manager", Role.MANAGER)
    await hear(house, [*_spoken(answered), *_findings(house)])
    await _replies(
        house, organisation.model_copy(update={"version": LATER, "paused": True}), answered[0], quiet
    )
    settings = organisation.model_copy(update={"version": LATER + 1, "name": "Nordlicht Group"})
    await hear(house, [settings, *(one.model_copy(update={"revision": LATER}) for one in programmes[:2])])


async def _ask_more_people(house: House) -> None:
    for number in range(QUIET):
        company = {"id": f"quiet-{number}", "name": f"Quiet {number}"}
        order = {"kind": "order", "id": f"quiet-{number}"}
        person = someone("still", company["id"])
        await house.tell("order.delivered", contact=person, account=company, subject=order)
    await house.later(days=1)


def _second_thoughts(one: DeliveryHandedOver, house: House) -> Iterator[Payload]:
    """Somebody says stop by a text message, and takes it back a minute later."""
    who, now = one.snapshot.contact_id, house.clock.now()
    yield ContactUnsubscribed(contact_id=who, at=now, via="sms")
    yield ContactResubscribed(contact_id=who, at=now + timedelta(minutes=1), via="sms")


def _deliveries(first: Sequence[DeliveryHandedOver]) -> Iterator[Payload]:
    """News of first messages, of steps and surveys nobody has heard of, and of an invitation to take part."""
    invitation = str(derive("made up invitation", first[0].delivery_id))
    yield DeliveryUncertain(
        **_fields(first[0], Delivery)
        | {
            "delivery_id": invitation,
            "survey_id": None,
            "message_id": invitation,
            "message_kind": MessageKind.INVITATION,
            "version": LATER,
        }
    )
    for number, one in enumerate(first):
        for step in (0, 10):
            head = _fields(one, Delivery) | {"step": step, "version": LATER}
            if step:
                head["delivery_id"] = str(derive("made up", one.delivery_id))
            elsewhere = head | {"survey_id": str(derive("made up", one.survey_id)), "channel": Channel.LINK}
            yield (
                DeliveryDelivered(**head),
                DeliveryUncertain(**head),
                DeliveryFailed(**head, reason=Reason.BOUNCED),
                DeliverySuppressed(**head, reason=Reason.OPTED_OUT),
                DeliveryBounced(**head, kind=BounceKind.HARD),
                DeliveryComplained(**head),
                DeliveryLinkReady(**elsewhere, url="https://ask.example/s/x"),
            )[number]


async def _replies(
    house: House, paused: OrganisationChanged, like: ResponseSubmitted, quiet: Sequence[SurveyRequested]
) -> None:
    """What may become of first replies, told while a brake keeps dispatch from telling it."""
    await hear(house, [paused])
    before = {one.message_id for one in await said(house, MessageRequested)}
    unhappy = []
    for one in quiet[:6]:
        new = {
            "survey_id": str(derive("made up survey", one.survey_id)),
            "snapshot": one.snapshot,
            "words": "",
        }
        response = str(derive("made up reply", one.survey_id))
        now = {"person": one.person, "response_id": response, "version": 1, "received_at": house.clock.now()}
        unhappy.append(ResponseSubmitted(**_fields(like, ResponseSubmitted) | new | now))
    await hear(house, unhappy)
    waiting = [one for one in await said(house, MessageRequested) if one.message_id not in before]
    for model, reply in zip(_FATES, waiting, strict=True):
        head: dict[str, Any] = {
            "delivery_id": str(derive("made up", reply.message_id)),
            "version": LATER,
            "survey_id": None,
            "message_id": reply.message_id,
            "channel": Channel.EMAIL,
            "snapshot": reply.snapshot,
            "at": house.clock.now(),
            "reason": Reason.OPTED_OUT,
            "kind": BounceKind.HARD,
        }
        await hear(house, [model.model_validate(head)])


_FATES: tuple[type[Delivery], ...] = (
    DeliveryHandedOver,
    DeliveryUncertain,
    DeliverySuppressed,
    DeliveryFailed,
    DeliveryBounced,
    DeliveryComplained,
)


def _sudden(like: ResponseSubmitted, quiet: Sequence[SurveyRequested]) -> Iterator[Payload]:
    """Released and held answers to surveys of which nobody had heard an answer."""
    for model, one in zip((ResponseReleased, ResponseHeld), quiet, strict=True):
        new = {"survey_id": one.survey_id, "snapshot": one.snapshot, "words": "", "person": one.person}
        response = str(derive("made up response", one.survey_id))
        yield model(**_fields(like, ResponseSubmitted) | new | {"response_id": response, "version": 1})


def _begun(quiet: Sequence[SurveyRequested], first: Sequence[DeliveryHandedOver]) -> list[Payload]:
    """An answer of which only a part was sent, and one by a number sent back to a text message."""
    one, (_, other) = quiet[0], first
    started = ResponseStarted(
        response_id=str(derive("made up response", one.survey_id)),
        survey_id=one.survey_id,
        version=LATER,
        snapshot=one.snapshot,
        at=other.at,
    )
    return [started, DeliveryReplied(**_fields(other, Delivery), reply_id="SM1", score=1)]


def _surveys(quiet: Sequence[SurveyRequested], house: House) -> Iterator[Payload]:
    for one in quiet:
        head: dict[str, Any] = {"survey_id": one.survey_id, "snapshot": one.snapshot}
        yield SurveyExtended(**head, version=LATER, closes_at=one.closes_at + timedelta(days=10))
        yield SurveyCancelled(
            **head, version=LATER + 1, reason=Reason.CANCELLED, cancelled_at=house.clock.now()
        )


def _shared(like: SurveyRequested) -> Iterator[Payload]:
    """A link without an invitation, and another that was taken back."""
    for number, gone in enumerate((None, like.requested_at), start=1):
        ident = str(derive("made up link", number))
        yield SurveyShared(
            link_id=ident,
            version=number,
            snapshot=like.snapshot.model_copy(update={"contact_id": ident, "channel": Channel.SHARED_LINK}),
            form=like.form,
            shared_at=like.requested_at,
            closes_at=like.closes_at,
            withdrawn_at=gone,
            shared_by="CLI",
            withdrawn_by="CLI" if gone else "",
            reason="misused" if gone else "",
        )


def _messages(quiet: Sequence[SurveyRequested], house: House) -> Iterator[Payload]:
    for one in quiet:
        yield MessageRequested(
            message_id=str(derive("made up message", one.survey_id)),
            kind=MessageKind.THANKS,
            snapshot=one.snapshot,
            person=one.person,
            requested_at=house.clock.now(),
        )


def _responses(answered: Sequence[ResponseSubmitted]) -> Iterator[Payload]:
    for one in answered:
        fields = _fields(one, ResponseSubmitted)
        yield ResponseWithdrawn(
            response_id=one.response_id,
            survey_id=one.survey_id,
            version=LATER,
            snapshot=one.snapshot,
            at=one.at,
        )
        yield ResponseReleased(**fields | {"version": LATER + 1})
        yield IncentiveChanged(
            response_id=one.response_id, survey_id=one.survey_id, version=1, snapshot=one.snapshot, at=one.at,
            redeemed_at=one.at, reference="V-1",
        )  # fmt: skip
        yield ResponseAmended(**fields | {"version": LATER + 2})


def _spoken(answered: Sequence[ResponseSubmitted]) -> Iterator[Payload]:
    """Those who answered say beside it that they are not to be quoted."""
    for one in answered:
        yield PermissionNoted(
            response_id=one.response_id,
            version=one.version,
            permission=Permission.QUOTE,
            given=False,
            by="key:made-up",
            at=one.at,
        )


def _findings(house: House) -> Iterator[Payload]:
    now = house.clock.now()
    yield ScoreDropped(
        cell="nps/relationship/total", metric="nps", before=40, after=12, n_before=90, n_after=40, at=now
    )
    yield ThemeRising(theme="invoices", names={"en": "Invoices"}, n_before=4, n_after=20, accounts=9, at=now)
    yield ChurnRising(left_before=6, left_after=9, expected=1.0, accounts_after=240, at=now)


def _tickets(opened: Sequence[TicketOpened]) -> Iterator[Payload]:
    for one in opened:
        yield QuestionDecided(
            question_id=str(derive("question", one.ticket_id)),
            ticket_id=one.ticket_id,
            run=1,
            contact_id=one.snapshot.contact_id,
            programme="recovery",
            outcome=Outcome.PLANNED,
            until=one.at,
            at=one.at,
        )
        fields = _fields(one, TicketOpened) | {"state": TicketState.OPEN}
        yield TicketReopened(**fields | {"version": LATER})
        yield TicketJoined(**fields | {"version": LATER + 1})
        yield TicketEscalated(**fields | {"version": LATER + 2}, level=2, clock="contact")
        yield TicketRecovered(**fields | {"version": LATER + 3, "state": TicketState.RESOLVED})


def _fields(one: Payload, model: type[Payload]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in model.model_fields}
