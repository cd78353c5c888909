"""From an event to a mail in a real sink, and back to an event: once, or with a reason why not."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest

from shared.contracts.deliveries import (
    DeliveryFailed,
    DeliveryHandedOver,
    DeliverySuppressed,
    DeliveryUncertain,
)
from shared.contracts.directory import AccountChanged, ContactChanged, ContactErased
from shared.contracts.messages import MessageKind, MessageRequested
from shared.contracts.model import Channel, Family, Payload, Person
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.contracts.reasons import Reason
from shared.contracts.surveys import SurveyClosed
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from tests.support.dispatch import (
    NOW,
    ORGANISATION,
    MailRoom,
    account_id,
    cancelled,
    contact_id,
    delivery_id,
    snapshot,
    survey_id,
)
from tests.support.postbox import text_of


@pytest.mark.requirement("R50", "R51", "R52", "R57")
async def test_a_survey_becomes_one_mail_and_one_event(room: MailRoom) -> None:
    await room.ask("anna")
    await room.work()
    [envelope] = room.mails
    assert envelope.recipients == ("anna@customer.example",)
    mail = room.read()
    assert mail["Message-ID"] == f"<{delivery_id('anna')}@northwind.example>"
    assert mail["To"] == "anna@customer.example"
    assert mail["From"] == "Karin Lindqvist <karin@northwind.example>"
    [told] = await room.told()
    assert told.type == DeliveryHandedOver.TYPE
    assert told.key == str(account_id("acme"))
    assert told.data.survey_id == survey_id("anna")
    assert (told.data.step, told.data.version, told.data.channel) == (0, 1, Channel.EMAIL)
    assert told.data.at == NOW
    [attempt] = await room.fetch("select outcome, ended_at >= started_at as after from attempts")
    assert (attempt["outcome"], attempt["after"]) == ("accepted", True)


@pytest.mark.requirement("R36")
async def test_what_the_owner_is_to_pass_on_goes_to_the_owner_though_they_are_our_own(room: MailRoom) -> None:
    await room.ask("anna", pass_on_to="rita@northwind.example")
    await room.work()
    assert [mail.recipients for mail in room.mails] == [("rita@northwind.example",)]


async def test_a_request_heard_twice_is_mailed_once(room: MailRoom) -> None:
    request = await room.request("anna")
    await room.tell(request)
    await room.work()
    await room.tell(request, request)
    await room.work()
    assert len(room.mails) == 1
    assert len(await room.told()) == 1


async def test_many_are_delivered_in_turn_each_to_its_own_person(room: MailRoom) -> None:
    names = [f"person{n}" for n in range(25)]
    await room.tell(*[await room.request(name) for name in names])
    await room.work()
    assert sorted(m.recipients[0] for m in room.mails) == sorted(f"{n}@customer.example" for n in names)
    assert all(len(m.recipients) == 1 for m in room.mails)


async def test_two_postmen_never_bring_the_same_mail(room: MailRoom) -> None:
    await room.tell(*[await room.request(f"person{n}") for n in range(30)])
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(room.work())
    assert len(room.mails) == 30
    assert len({m.recipients for m in room.mails}) == 30


async def test_nothing_is_sent_before_the_organisation_is_known(room: MailRoom) -> None:
    await room.run("delete from organisation")
    await room.ask("anna")
    await room.work()
    assert room.mails == []
    assert await room.state("anna") == ("planned", None)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("cancelled", Reason.CANCELLED),
        ("closed", Reason.EXPIRED),
        ("opted_out", Reason.OPTED_OUT),
        ("erased", Reason.ERASED),
        ("own", Reason.OWN_COMPANY),
        ("own_subdomain", Reason.OWN_COMPANY),
        ("no_address", Reason.INVALID_ADDRESS),
        ("two_addresses", Reason.INVALID_ADDRESS),
        ("no_channel", Reason.NO_CHANNEL),
        ("stale", Reason.EXPIRED),
    ],
)
async def test_the_last_look_stops_a_message_with_its_reason(
    room: MailRoom, clock: FixedClock, case: str, reason: Reason
) -> None:
    emails = {
        "own": "anna@northwind.example",
        "own_subdomain": "anna@mail.Northwind.example",
        "no_address": "",
        "two_addresses": "anna@customer.example, eve@evil.example",
    }
    fields: dict[str, object] = {}
    if case in emails:
        fields["person"] = Person(name="Anna", email=emails[case])
    if case == "no_channel":
        fields["channels"] = (Channel.SMS,)
    if case == "stale":
        fields["fresh_until"] = NOW + timedelta(hours=1)
    await room.ask("anna", **fields)
    who = str(contact_id("anna"))
    match case:
        case "cancelled":
            await room.tell(cancelled("anna"))
        case "closed":
            await room.tell(
                SurveyClosed(survey_id=survey_id("anna"), version=2, snapshot=snapshot("anna"), closed_at=NOW)
            )
        case "opted_out":
            await room.tell(ContactChanged(contact_id=who, version=2, opted_out=True))
        case "erased":
            await room.tell(ContactErased(contact_id=who, version=2, erased_at=NOW))
        case "stale":
            clock.advance(timedelta(hours=1))
        case _:
            pass
    await room.work()
    assert room.mails == []
    [told] = await room.told()
    assert told.type == DeliverySuppressed.TYPE
    assert told.data.reason is reason


async def test_a_destroyed_key_is_an_erasure_that_came_first(room: MailRoom) -> None:
    await room.ask("anna")
    async with room.db.begin() as tx:
        await room.sealer.destroy(tx.conn, [contact_id("anna")])
    await room.work()
    assert await room.state("anna") == ("suppressed", Reason.ERASED)


async def test_a_broken_seal_fails_its_own_message_only(room: MailRoom) -> None:
    await room.tell(await room.request("anna"), await room.request("bert"))
    await room.run(
        "update surveys set person = left(person, -4) || 'AAAA' where survey_id = $1::text::uuid",
        survey_id("anna"),
    )
    await room.work()
    assert await room.state("anna") == ("failed", Reason.UNSENDABLE)
    assert await room.state("bert") == ("handed_over", None)


@pytest.mark.parametrize("what", ["organisation", "account", "programme"])
async def test_a_brake_holds_mails_back_until_it_is_off(room: MailRoom, what: str) -> None:
    await room.ask("anna")

    def brake(version: int, *, on: bool) -> Payload:
        match what:
            case "organisation":
                return ORGANISATION.model_copy(update={"version": version, "paused": on})
            case "account":
                return AccountChanged(account_id=str(account_id("acme")), version=version, paused=on)
            case _:
                return ProgrammePublished(
                    programme="relationship-nps",
                    version="v",
                    revision=version,
                    state=ProgrammeState.PAUSED if on else ProgrammeState.ACTIVE,
                    family=Family.RELATIONSHIP,
                    definition={},
                )

    await room.tell(brake(2, on=True))
    await room.work()
    assert await room.state("anna") == ("planned", None)
    await room.tell(brake(3, on=False))
    await room.work()
    assert await room.state("anna") == ("handed_over", None)
    assert len(room.mails) == 1


async def test_a_brake_on_the_account_that_stays_holds_back_mails_of_the_merged_one(room: MailRoom) -> None:
    await room.ask("anna")
    stays, former = str(account_id("acme-group")), str(account_id("acme"))
    await room.tell(AccountChanged(account_id=former, version=2, merged_into=stays))
    await room.tell(AccountChanged(account_id=stays, version=2, paused=True))
    await room.work()
    assert await room.state("anna") == ("planned", None)
    await room.tell(AccountChanged(account_id=stays, version=3))
    await room.work()
    assert await room.state("anna") == ("handed_over", None)


async def test_a_full_mailbox_is_tried_again_later(room: MailRoom) -> None:
    room.faults.rules.append(Fault("anna@*", FaultKind.REFUSE_RECIPIENT, "452 4.2.2 mailbox full", times=1))
    await room.ask("anna")
    await room.work()
    assert await room.state("anna") == ("planned", None)
    assert await room.told() == []
    [row] = await room.fetch("select detail, not_before - clock.machine_now() as wait from messages")
    assert row["detail"] == "rcpt: 452 4.2.2"
    assert timedelta(seconds=2) < row["wait"] <= timedelta(seconds=5)
    await room.wake()
    await room.work()
    assert await room.state("anna") == ("handed_over", None)
    outcomes = await room.fetch("select number, outcome from attempts order by number")
    assert [tuple(row) for row in outcomes] == [(1, "deferred"), (2, "accepted")]
    assert len(room.mails) == 1


async def test_a_full_mailbox_is_not_tried_beyond_the_moment(room: MailRoom) -> None:
    room.faults.rules.append(Fault("anna@*", FaultKind.REFUSE_RECIPIENT, "452 4.2.2 mailbox full"))
    await room.ask("anna", fresh_until=NOW + timedelta(seconds=2))
    await room.work()
    assert await room.state("anna") == ("failed", Reason.EXPIRED)


async def test_a_dead_address_fails_once_and_is_never_written_to_again(room: MailRoom) -> None:
    room.faults.rules.append(Fault("anna@*", FaultKind.REFUSE_RECIPIENT, "550 5.1.1 no such user", times=1))
    await room.ask("anna")
    await room.work()
    [told] = await room.told()
    assert (told.type, told.data.reason, told.data.detail) == (
        DeliveryFailed.TYPE,
        Reason.INVALID_ADDRESS,
        "rcpt: 550 5.1.1",
    )
    # The same mailbox under another contact's name.
    await room.ask("other", person=Person(name="Anna", email="ANNA@customer.example"))
    await room.work()
    assert await room.state("other") == ("suppressed", Reason.INVALID_ADDRESS)
    assert room.mails == []


async def test_a_refusal_for_policy_leaves_the_address_alone(room: MailRoom) -> None:
    room.faults.rules.append(Fault("anna@*", FaultKind.REFUSE_CONTENT, "554 5.7.1 looks like spam", times=1))
    await room.ask("anna")
    await room.work()
    assert await room.state("anna") == ("failed", Reason.BOUNCED)
    assert await room.fetch("select * from suppressions") == []


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER_ACCEPT, FaultKind.DROP_BEFORE_ACCEPT])
async def test_silence_after_the_message_is_uncertain_and_never_repeated(
    room: MailRoom, kind: FaultKind
) -> None:
    room.faults.rules.append(Fault("anna@*", kind, times=1))
    await room.ask("anna")
    await room.work()
    await room.wake()
    await room.work()
    assert (await room.state("anna"))[0] == "uncertain"
    assert len(room.mails) == (1 if kind is FaultKind.DROP_AFTER_ACCEPT else 0)
    [told] = await room.told()
    assert told.type == DeliveryUncertain.TYPE
    [attempt] = await room.fetch("select outcome from attempts")
    assert attempt["outcome"] == "unknown"


async def test_a_server_that_is_away_is_only_a_delay(room: MailRoom) -> None:
    await room.server.stop()
    await room.ask("anna")
    await room.work()
    assert await room.state("anna") == ("planned", None)
    [attempt] = await room.fetch("select outcome, detail from attempts")
    assert attempt["outcome"] == "deferred"
    assert attempt["detail"].startswith("connect:")


@pytest.mark.requirement("R77", "R81")
@pytest.mark.parametrize("kind", [MessageKind.THANKS, MessageKind.FIRST_REPLY])
async def test_a_note_is_sent_although_the_survey_is_answered(room: MailRoom, kind: MessageKind) -> None:
    request = await room.request("anna")
    message_id = derive("note", kind)
    await room.tell(
        MessageRequested(
            message_id=str(message_id),
            kind=kind,
            snapshot=snapshot("anna", locale="sv"),
            person=request.person,
            requested_at=NOW,
        )
    )
    await room.work()
    mail = room.read()
    assert "Anna" in text_of(mail)
    assert "/s/" not in text_of(mail, "html")
    [told] = await room.told()
    assert told.type == DeliveryHandedOver.TYPE
    assert (told.data.survey_id, told.data.message_id) == (None, str(message_id))


@pytest.mark.requirement("R77")
@pytest.mark.parametrize(
    ("locale", "hours", "said"),
    [
        ("en", "24", "within 24 hours"),
        ("en", "1", "within 1 hour."),
        ("sv-SE", "72", "inom 72 timmar"),
        ("de", "8", "innerhalb von 8 Stunden"),
        ("fr", "24", "dans un délai de 24 heures"),
        ("es", "24", "en un plazo de 24 horas"),
        ("pt", "1", "no prazo de 1 hora"),
    ],
)
async def test_the_answer_to_a_first_reply_reaches_who_takes_care(
    room: MailRoom, locale: str, hours: str, said: str
) -> None:
    request = await room.request("anna")
    async with room.db.begin() as tx:
        rep = Person(name="Rita", email="rita@nordlicht.example")
        (sealed,) = await room.sealer.seal(tx.conn, [(UUID(request.snapshot.contact_id), rep)])
    await room.tell(
        MessageRequested(
            message_id=str(derive("note", locale, hours)),
            kind=MessageKind.FIRST_REPLY,
            snapshot=snapshot("anna", locale=locale),
            person=request.person,
            reply_to=sealed,
            requested_at=NOW,
            slots={"hours": hours},
        )
    )
    await room.work()
    mail = room.read()
    assert mail["Reply-To"] == "rita@nordlicht.example"
    text = text_of(mail)
    assert said in " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())
    (kept,) = await room.fetch("select slots from messages")
    assert "rita@" not in json.dumps(dict(kept)), "whoever reads the table learns no address"
