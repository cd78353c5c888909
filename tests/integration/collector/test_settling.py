"""Machines and people at the same links: what is announced, on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.contracts.deliveries import DeliveryFailed, DeliveryUncertain
from shared.contracts.forms import Permission, Question, QuestionType
from shared.contracts.reasons import Reason
from shared.contracts.responses import (
    Answered,
    ResponseHeld,
    ResponseReleased,
    ResponseSubmitted,
    ResponseWithdrawn,
    Verdict,
)
from shared.runtime.loops import Loop
from tests.support.collector import NPS, START, Collector, send, snapshot, survey_id

CES_TRAP_MAIL = [*[f"?score={score}" for score in range(1, 8)], "/trap"]


async def scan(collector: Collector, path: str, links: list[str]) -> None:
    """A gateway fetches links of a mail, from three addresses in turn, a tenth of a second apart."""
    for number, link in enumerate(links):
        async with collector.client(f"198.51.100.{number % 3}") as gateway:
            await gateway.head(path + link)
            await gateway.get(path + link)
        collector.wait(0.1)


async def press(collector: Collector, path: str, value: str, address: str = "198.51.100.1") -> None:
    """A bot that opens the page and presses the button two seconds later."""
    async with collector.client(address) as bot:
        page = await bot.get(f"{path}?score={value}")
        collector.wait(2)
        assert (await send(bot, page, path, {"q.ces": value})).status_code == 303


async def answer(collector: Collector, path: str, value: str, words: str = "") -> None:
    """A person who reads for half a minute."""
    async with collector.client("203.0.113.9") as browser:
        page = await browser.get(f"{path}?score={value}&edit=1")
        collector.wait(30)
        fields = {"q.ces": value, "q.hard": words}
        assert (await send(browser, page, path, fields)).status_code == 303


@pytest.mark.parametrize(("reading", "woken"), [(19, False), (20, True)])
async def test_only_an_answer_that_is_ready_at_once_wakes_the_settling(
    collector: Collector, reading: int, *, woken: bool
) -> None:
    path = await collector.asked(1)
    async with collector.client("203.0.113.9") as browser:
        page = await browser.get(f"{path}?score=1&edit=1")
        collector.wait(reading)
        rung = collector.db.bell.listen()
        await send(browser, page, path, {"q.ces": "1", "q.hard": "No."})
    assert rung.is_set() is woken


@pytest.mark.requirement("R45", "R84")
async def test_what_a_tick_allows_is_told_with_the_answer_until_it_is_taken_back(
    collector: Collector,
) -> None:
    asks = Question(id="quote", type=QuestionType.CONSENT, text={"en": "?"}, permission=Permission.QUOTE)
    form = NPS.model_copy(update={"questions": (*NPS.questions[:-1], asks)})
    path = await collector.asked(1, form)
    await collector.handed_over(1)
    told: list[Answered] = []
    for score, ticked in (("9", True), ("10", True), ("10", False), ("9", True)):
        async with collector.client("203.0.113.9") as browser:
            page = await browser.get(f"{path}?edit=1")
            collector.wait(30)
            fields = {"q.nps": score, "q.matters": "speed"} | ({"q.quote": "yes"} if ticked else {})
            assert (await send(browser, page, path, fields)).status_code == 303
        collector.wait(30)
        told += [one for one in await collector.settle() if isinstance(one, Answered)]
    assert [(one.TYPE, one.permissions) for one in told] == [
        ("response.submitted.v1", (Permission.QUOTE,)), ("response.amended.v1", (Permission.QUOTE,)),
        ("response.amended.v1", ()), ("response.amended.v1", (Permission.QUOTE,)),
    ]  # fmt: skip
    first, _, _, last = (one.received_at for one in told)
    assert [one.permitted_at.get(Permission.QUOTE) for one in told] == [first, first, None, last]


@pytest.mark.requirement("R54")
async def test_a_gateway_that_presses_buttons_is_held_with_its_reasons(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1, ago=2)
    await scan(collector, path, CES_TRAP_MAIL)
    await press(collector, path, "1")
    collector.wait(19)
    (held,) = await collector.settle()
    assert isinstance(held, ResponseHeld)
    assert held.verdict is Verdict.MACHINE
    assert {"all_scores_opened", "trap_opened", "several_addresses"} <= set(held.evidence)


async def test_a_person_after_the_gateway_is_a_person_and_releases_what_was_held(
    collector: Collector,
) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1, ago=2)
    await scan(collector, path, CES_TRAP_MAIL)
    await press(collector, path, "1")
    collector.wait(600)
    (held,) = await collector.settle()
    await answer(collector, path, "6")
    (released,) = await collector.settle()
    assert isinstance(held, ResponseHeld)
    assert isinstance(released, ResponseReleased)
    assert (released.primary_score.value, released.verdict) == (6, Verdict.HUMAN)
    assert released.version == held.version + 1


async def test_a_person_amid_scanner_noise_is_never_held(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1, ago=2)
    await scan(collector, path, CES_TRAP_MAIL)
    collector.wait(600)
    await answer(collector, path, "2", "Ten minutes later")
    (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert event.evidence == ()


async def test_a_scanner_after_a_person_overwrites_nothing(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    await answer(collector, path, "2", "It broke")
    (submitted,) = await collector.settle()
    collector.wait(600)
    await scan(collector, path, CES_TRAP_MAIL)
    await press(collector, path, "7")
    collector.wait(60)
    assert isinstance(submitted, ResponseSubmitted)
    assert await collector.settle() == []


async def test_an_answer_waits_for_the_burst_and_for_the_hand_over(collector: Collector) -> None:
    path = await collector.asked(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(8)
        await send(browser, page, path, {"q.ces": "7"})
    await collector.handed_over(1)
    collector.wait(11.9)
    assert await collector.settle() == []
    collector.wait(0.1)
    assert len(await collector.settle()) == 1


@pytest.mark.parametrize("kind", [DeliveryUncertain, DeliveryFailed])
async def test_an_answer_leaves_when_the_fate_of_its_mail_is_known(
    collector: Collector, kind: type[DeliveryUncertain | DeliveryFailed]
) -> None:
    path = await collector.asked(1)
    await answer(collector, path, "5")
    collector.wait(60)
    assert await collector.settle() == []
    fate = {"delivery_id": "d", "version": 1, "survey_id": str(survey_id(1)), "channel": "email"}
    more = {"snapshot": snapshot(1), "at": collector.clock.now(), "reason": Reason.BOUNCED}
    await collector.feed(kind.model_validate({**fate, **more}))
    (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert event.asked_at is None


async def test_word_that_never_comes_holds_nobody_back_for_ever(collector: Collector) -> None:
    path = await collector.asked(1)
    await answer(collector, path, "5")
    collector.wait(15 * 60 - 1)
    assert await collector.settle() == []
    collector.wait(1)
    assert [type(event) for event in await collector.settle()] == [ResponseSubmitted]


async def test_evidence_that_comes_later_withdraws_and_holds(collector: Collector) -> None:
    """It left without word about its mail; then it turns out to have come right after the hand-over."""
    path = await collector.asked(1)
    await press(collector, path, "1")
    collector.wait(15 * 60)
    (submitted,) = await collector.settle()
    await collector.handed_over(1, ago=15 * 60 + 3)
    withdrawn, held = await collector.settle()
    assert isinstance(submitted, ResponseSubmitted)
    assert isinstance(withdrawn, ResponseWithdrawn)
    assert withdrawn.reason == "right_after_hand_over"
    assert isinstance(held, ResponseHeld)
    assert [submitted.version, withdrawn.version, held.version] == [1, 2, 3]
    assert held.verdict is Verdict.UNCLEAR


async def test_a_trap_opened_after_the_answer_counts_too(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    await press(collector, path, "1")
    collector.wait(20)
    (submitted,) = await collector.settle()
    async with collector.client("198.51.100.1") as bot:
        await bot.get(f"{path}/trap")
    collector.wait(20)
    assert isinstance(submitted, ResponseSubmitted)
    assert [type(event) for event in await collector.settle()] == [ResponseWithdrawn, ResponseHeld]


async def _round(loop: Loop) -> None:
    await loop.run()


async def test_two_loops_at_once_announce_once(collector: Collector) -> None:
    for number in range(1, 31):
        path = await collector.asked(number)
        await collector.handed_over(number)
        await answer(collector, path, "3")
    loop = next(loop for loop in collector.service.loops if loop.name == "settle")
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(_round(loop))
    events = await collector.events()
    assert len(events) == 30
    assert {event.survey_id for event in events if isinstance(event, Answered)} == {
        str(survey_id(number)) for number in range(1, 31)
    }


async def test_the_same_event_twice_and_older_news_change_nothing(collector: Collector) -> None:
    await collector.asked(1, NPS)
    await collector.asked(1)
    await collector.handed_over(1, ago=60)
    await collector.handed_over(1, ago=10)
    async with collector.db.read() as conn:
        rows = await conn.fetch("select handed_over_at from hand_overs")
        forms = await conn.fetchval("select form from surveys join questionnaires on digest = questionnaire")
    assert [row[0] for row in rows] == [START - timedelta(seconds=60)]
    assert '"primary":"nps"' in forms


async def test_a_form_that_cannot_be_answered_is_put_aside_alone(collector: Collector) -> None:
    broken = NPS.model_copy(update={"primary": "why"})
    await collector.asked(1, broken)
    path = await collector.asked(2)
    async with collector.db.read() as conn:
        reasons = await conn.fetch("select reason from dead_letters")
    assert [row[0] for row in reasons] == ["form.primary: 'why' is no question with a scale"]
    async with collector.client() as browser:
        assert (await browser.get(path)).status_code == 200
