"""What customers hear by themselves: asked for once, each with what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.alerts.domain.teams import read_roster
from services.alerts.domain.thanking import Policy, Thanks
from services.alerts.handlers.actions import Action, Wish, act
from services.alerts.store import books, cases
from shared.contracts.deliveries import (
    Delivery,
    DeliveryBounced,
    DeliveryFailed,
    DeliveryHandedOver,
    DeliverySuppressed,
    DeliveryUncertain,
)
from shared.contracts.messages import MessageKind, MessageRequested
from shared.contracts.model import Channel, Person
from shared.contracts.reasons import Reason
from shared.contracts.responses import ResponseAmended, ResponseHeld
from shared.contracts.surveys import CloseTheLoop
from shared.runtime.ids import derive
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, T0, event, snapshot


async def asked(office: Office) -> list[MessageRequested]:
    """The messages that alerts asked dispatch for."""
    rows = await office.rows("select value from outbox where headers like '%message.requested%' order by id")
    return [MessageRequested.model_validate_json(row[0]) for row in rows]


async def states(office: Office) -> list[tuple[str, str]]:
    return await office.rows("select state, reason from messages order by requested_at, message_id")


def became(model: type[Delivery], message_id: str, version: int = 2, **more: Any) -> Any:
    """What dispatch says of a message."""
    data = model(
        delivery_id=str(derive("delivery", message_id)),
        version=version,
        survey_id=None,
        message_id=message_id,
        channel=Channel.EMAIL,
        snapshot=snapshot(),
        at=T0 + HOUR,
        **more,
    )
    return event(data, T0 + HOUR)


@pytest.mark.requirement("R77", "R81")
async def test_an_unhappy_customer_hears_at_once_and_once_in_each_case(office: Office) -> None:
    said = await office.says.answered(
        "r1", 2, T0, snapshot=snapshot(locale="sv", owner="rita@afterword.test")
    )
    await office.hears(said)
    await office.hears(said)
    again = await office.says.answered("r2", 1, T0 + timedelta(minutes=5))
    other = await office.says.answered("r3", 1, T0 + timedelta(minutes=6), contact="bo")
    await office.hears(again, other)
    first, second = await asked(office)
    assert (first.kind, first.snapshot.locale) == (MessageKind.FIRST_REPLY, "sv")
    assert [UUID(one.snapshot.contact_id) for one in (first, second)] == [
        derive("contact", "ana"),
        derive("contact", "bo"),
    ]
    assert int(first.slots["hours"]) <= 24
    async with office.db.read() as conn:
        (rep,) = await office.desk.sealer.open(conn, [(derive("contact", "ana"), first.reply_to)], Person)
    assert rep == Person(name="Rita", email="rita@afterword.test"), "the reply goes to who takes care"
    assert "rita" not in first.model_dump_json(exclude={"snapshot"}), "in the clear it is nowhere"


@pytest.mark.requirement("R77")
async def test_a_new_case_of_the_same_customer_is_replied_to_again(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    (row,) = await office.rows("select id from tickets")
    async with office.db.begin() as tx:
        rita = office.team.ids["rita"]
        await act(office.desk, tx, row[0], Wish(Action.CONTACT, rita, via="phone"))
        await act(office.desk, tx, row[0], Wish(Action.RESOLVE, rita, cause="other", note="Mended."))
    await office.hears(await office.says.answered("r2", 2, T0 + 3 * HOUR))
    async with office.db.read() as conn:
        assert await cases.with_open_ticket(conn, [derive("account", "acme")])
    assert len({one.message_id for one in await asked(office)}) == 2


@pytest.mark.requirement("R81")
@pytest.mark.parametrize(
    ("thanks", "words", "kinds"),
    [
        (Thanks.WORDS, "Quick and friendly.", [MessageKind.THANKS]),
        (Thanks.WORDS, "", []),
        (Thanks.ALL, "", [MessageKind.THANKS]),
        (Thanks.NONE, "Quick and friendly.", []),
    ],
)
async def test_who_is_not_unhappy_is_thanked_as_it_was_chosen(
    office: Office, thanks: Thanks, words: str, kinds: list[MessageKind]
) -> None:
    office.desk = replace(office.desk, replies=Policy(thanks=thanks))
    await office.hears(await office.says.answered("r1", 9, T0, words=words))
    assert [one.kind for one in await asked(office)] == kinds


async def test_whoever_has_a_first_reply_is_not_thanked_for_the_better_answer(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    await office.hears(await office.says.answered("r1", 9, T0 + HOUR, model=ResponseAmended, version=2))
    assert [one.kind for one in await asked(office)] == [MessageKind.FIRST_REPLY]


async def test_nothing_is_written_to_who_may_be_a_machine_or_answered_long_ago(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0, model=ResponseHeld))
    long_ago = T0 - timedelta(days=400)
    await office.hears(await office.says.answered("r2", 2, long_ago, contact="bo", account="bolt"))
    assert await asked(office) == []
    assert await states(office) == [("withheld", "expired")]


async def test_no_first_reply_when_it_is_switched_off(office: Office) -> None:
    office.desk = replace(office.desk, replies=Policy(first_reply=False))
    await office.hears(await office.says.answered("r1", 2, T0))
    assert await asked(office) == []


@pytest.mark.requirement("R77")
async def test_what_became_of_it_is_kept_and_never_goes_back(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    (message,) = await asked(office)
    for told, now in (
        (became(DeliveryUncertain, message.message_id), "uncertain"),
        (became(DeliveryHandedOver, message.message_id, 3), "handed_over"),
        (became(DeliveryUncertain, message.message_id, 2), "handed_over"),
        (became(DeliveryBounced, message.message_id, 3, kind="hard"), "bounced"),
        (became(DeliveryHandedOver, message.message_id, 3), "bounced"),
        (became(DeliveryFailed, message.message_id, 4, reason=Reason.BOUNCED), "bounced"),
    ):
        await office.hears(told)
        assert [state for state, _ in await states(office)] == [now]


async def test_a_suppressed_one_says_why_and_the_books_count_it(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    (message,) = await asked(office)
    await office.hears(became(DeliverySuppressed, message.message_id, reason=Reason.OPTED_OUT))
    assert await states(office) == [("suppressed", "opted_out")]
    async with office.db.read() as conn:
        assert (await books.books(conn, T0)).messages == {"suppressed": 1}


@pytest.mark.requirement("R79")
async def test_an_unhappy_newcomer_gets_help_at_once_in_their_language(office: Office) -> None:
    roster = read_roster("help: {getting-started: {en: Ten minutes to start., sv: Tio minuter.}}").value
    assert roster is not None
    office.desk = replace(office.desk, roster=roster)
    loop = CloseTheLoop(help="getting-started")
    for response, locale, score in (("s", "sv-SE", 2), ("f", "fr", 2), ("h", "sv", 10)):
        said = await office.says.answered(
            response, score, T0, contact=response, account=response, close_the_loop=loop,
            snapshot=snapshot(response, response, locale=locale),
        )  # fmt: skip
        await office.hears(said)
        await office.hears(said)
    helped = [one for one in await asked(office) if one.kind is MessageKind.HELP]
    assert [one.slots for one in helped] == [{"text": "Tio minuter."}, {"text": "Ten minutes to start."}]


@pytest.mark.requirement("R79")
async def test_help_that_nobody_has_written_is_withheld_with_its_reason(office: Office) -> None:
    loop = CloseTheLoop(help="getting-started")
    await office.hears(await office.says.answered("d", 2, T0, close_the_loop=loop))
    assert [one.kind for one in await asked(office)] == [MessageKind.FIRST_REPLY]
    assert await office.rows("select state, reason from messages where kind = 'help'") == [
        ("withheld", "no_text")
    ]
