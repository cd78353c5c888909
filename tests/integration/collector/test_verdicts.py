"""Verdicts are explained from what is stored, and made anew when the rules have changed."""

from __future__ import annotations

import json
import re
from uuid import UUID

import httpx
import pytest

from services.collector.domain.evidence import MEANINGS, WEIGHTS, Evidence
from services.collector.domain.settling import Say
from services.collector.domain.verdict import RULES
from services.collector.handlers.verdicts import Verdicts
from shared.contracts.directory import ContactErased
from shared.contracts.responses import (
    ResponseHeld,
    ResponseReleased,
    ResponseSubmitted,
    ResponseWithdrawn,
    Verdict,
)
from shared.security.roles import Scope
from tests.support.collector import NPS, Collector, contact_id, send, survey_id

FIRST = UUID(int=0)


async def answered(collector: Collector, number: int, value: str, *, hand: str = "touched") -> None:
    """Somebody opens a page by a score of the mail, reads, and sends."""
    path = await collector.asked(number)
    await collector.handed_over(number)
    await answer(collector, path, value, hand)


async def answer(collector: Collector, path: str, value: str, hand: str) -> httpx.Response:
    async with collector.client() as browser:
        page = await browser.get(f"{path}?score={value}")
        collector.wait(8)
        sent = await send(browser, page, path, {"q.ces": value, "hand": hand})
    assert sent.status_code == 303
    collector.wait(30)
    return page


async def judged_by_older_rules(collector: Collector, number: int, verdict: Verdict) -> None:
    """As if older rules had judged otherwise, and it had been announced."""
    async with collector.db.begin() as tx:
        await tx.conn.execute(
            "update answers set verdict = $2, evidence = '{no_browser}', rules = $3 where survey_id = $1",
            survey_id(number), verdict.value, RULES - 1,
        )  # fmt: skip
        state = "counted" if verdict is Verdict.HUMAN else "held"
        await tx.conn.execute(
            "update responses set state = $2 where survey_id = $1", survey_id(number), state
        )


async def audited(collector: Collector) -> list[dict[str, object]]:
    async with collector.db.read() as conn:
        rows = await conn.fetch("select actor, detail from access.audit where action = 'answers.rejudged'")
    return [json.loads(row["detail"]) | {"actor": row["actor"]} for row in rows]


def test_every_piece_of_evidence_has_a_weight_and_a_meaning() -> None:
    assert set(WEIGHTS) == set(MEANINGS) == set(Evidence)


async def test_a_verdict_is_explained_from_what_is_stored(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    async with collector.client("198.51.100.1", "curl/8") as gateway:
        await gateway.head(f"{path}?score=3")
        await gateway.get(f"{path}?score=3")
    collector.wait(60)
    await answer(collector, path, "3", "none")
    await collector.settle()
    _, key = await collector.access.create_key("test", [Scope.RESPONSES_READ])
    async with collector.client() as client:
        headers = {"authorization": f"Bearer {key}"}
        told = await client.get(f"/v1/responses/{survey_id(1)}/verdicts", headers=headers)
        nothing = await client.get(f"/v1/responses/{survey_id(2)}/verdicts", headers=headers)
        refused = await client.get(f"/v1/responses/{survey_id(1)}/verdicts", headers={"accept": "*/*"})
    assert (nothing.status_code, refused.status_code) == (404, 401)
    found = told.json()
    assert (found["state"], found["rules"], len(found["handed_over"])) == ("held", RULES, 1)
    assert [(one["kind"], one["agent"], one["visitor"]) for one in found["observations"]] == [
        ("head", "tool", 1), ("opened", "tool", 1), ("opened", "browser", 2),
    ]  # fmt: skip
    (version,) = found["answers"]
    assert (version["visitor"], version["agent"], version["judged"]["rules"]) == (2, "driven", RULES)
    assert version["judged"]["verdict"] == "machine"
    assert version["judged"]["points"] == sum(one["points"] for one in version["judged"]["evidence"])
    assert {one["name"] for one in version["judged"]["evidence"]} == {"driven", "not_styled"}
    assert all(one["meaning"] for one in version["judged"]["evidence"])
    assert "198.51" not in told.text


async def test_looking_changes_nothing_and_applying_announces_what_follows(collector: Collector) -> None:
    for number, hand in ((1, "touched"), (2, "none"), (3, "touched")):
        await answered(collector, number, "2", hand=hand)
    await collector.settle()
    await judged_by_older_rules(collector, 1, Verdict.MACHINE)
    await judged_by_older_rules(collector, 2, Verdict.HUMAN)
    verdicts = Verdicts(collector.db)
    looked = await verdicts.look(FIRST)
    assert looked.surveys == 3
    changes = {one.survey_id: one for one in looked.changes}
    assert set(changes) == {survey_id(1), survey_id(2)}
    assert changes[survey_id(1)].says == (Say.RELEASED,)
    assert changes[survey_id(2)].says == (Say.WITHDRAWN, Say.HELD)
    assert changes[survey_id(2)].turns[0].evidence == (Evidence.DRIVEN, Evidence.NOT_STYLED)
    assert await collector.settle() == []
    assert await audited(collector) == []

    assert await verdicts.apply(FIRST, "cli") == looked
    events = await collector.settle()
    kinds = {(event.survey_id, type(event)) for event in events if hasattr(event, "survey_id")}
    assert kinds == {
        (str(survey_id(1)), ResponseReleased),
        (str(survey_id(2)), ResponseWithdrawn),
        (str(survey_id(2)), ResponseHeld),
    }
    (line,) = await audited(collector)
    assert (line["actor"], line["rules"]) == ("cli", RULES)
    assert line["surveys"] == sorted([str(survey_id(1)), str(survey_id(2))])

    again = await verdicts.apply(FIRST, "cli")
    assert (again.surveys, again.changes) == (3, ())
    assert await collector.settle() == []
    assert len(await audited(collector)) == 1


async def test_one_survey_alone_and_page_after_page(collector: Collector) -> None:
    for number in (1, 2):
        await answered(collector, number, "2")
    await collector.settle()
    for number in (1, 2):
        await judged_by_older_rules(collector, number, Verdict.UNCLEAR)
    verdicts = Verdicts(collector.db)
    alone = await verdicts.look(FIRST, survey_id(2))
    assert [one.survey_id for one in alone.changes] == [survey_id(2)]
    whole = await verdicts.look(FIRST)
    assert whole.last is not None
    assert (await verdicts.look(whole.last)).surveys == 0


async def test_what_erasure_blurred_keeps_its_verdict(collector: Collector) -> None:
    """Without addresses a gateway's HEAD would seem to be the person's own."""
    path = await collector.asked(1)
    await collector.handed_over(1)
    collector.wait(600)
    async with collector.client("198.51.100.1") as gateway:
        await gateway.get(f"{path}/trap")
    collector.wait(60)
    await answer(collector, path, "2", "touched")
    (submitted,) = await collector.settle()
    assert isinstance(submitted, ResponseSubmitted)
    await collector.feed(
        ContactErased(contact_id=str(contact_id(1)), version=9, erased_at=collector.clock.now())
    )
    await collector.handed_over(1, ago=900)
    assert (await Verdicts(collector.db).look(FIRST)).changes == ()
    assert await collector.settle() == []


async def test_a_page_of_before_the_style_sheets_is_not_blamed_for_lacking_one(collector: Collector) -> None:
    await answered(collector, 1, "2", hand="")
    async with collector.db.begin() as tx:
        await tx.conn.execute("update answers set styled = false")
    (submitted,) = await collector.settle()
    assert isinstance(submitted, ResponseSubmitted)


async def test_a_person_after_a_pressing_gateway_is_not_shown_its_answer_and_counts(
    collector: Collector,
) -> None:
    """Seed: trace "the gateway pressed the same button hours before"."""
    await answered(collector, 1, "2", hand="none")
    (held,) = await collector.settle()
    assert isinstance(held, ResponseHeld)
    collector.wait(3600)
    page = await answer(collector, collector.path(1), "2", "touched")
    assert "Thank you" not in page.text
    assert "You have answered already." not in page.text
    (released,) = await collector.settle()
    assert isinstance(released, ResponseReleased)
    async with collector.client() as browser:
        assert "Thank you" in (await browser.get(collector.path(1))).text


async def test_an_incomplete_answer_does_not_hold_up_a_whole_one(collector: Collector) -> None:
    """A gateway presses the button of another score while a person's unhappy answer settles."""
    path = await collector.asked(1, NPS)
    await collector.handed_over(1)
    collector.wait(600)
    async with collector.client() as browser, collector.client("198.51.100.1") as bot:
        page = await browser.get(f"{path}?score=2")
        collector.wait(5)
        assert (await send(browser, page, path, {"q.nps": "2", "q.matters": "speed"})).status_code == 303
        collector.wait(6)
        pressed = await bot.get(f"{path}?score=9")
        collector.wait(3)
        again = await send(bot, pressed, path, {"q.nps": "9", "hand": "driven"})
        assert again.status_code == 422
    collector.wait(20)
    (submitted,) = await collector.settle()
    assert isinstance(submitted, ResponseSubmitted)
    assert submitted.primary_score.value == 2


@pytest.mark.parametrize("page", ["", "abc", "9" * 20])
async def test_a_page_s_style_sheet_is_served_and_seen(collector: Collector, page: str) -> None:
    path = await collector.asked(1)
    async with collector.client() as browser:
        shown = await browser.get(path)
        (own,) = re.findall(r'href="(/s/[^"/]{20,}/[^"]+\.css\?page=\d+)"', shown.text)
        first, other = await browser.get(own), await browser.get(f"{own.partition('?')[0]}?page={page}")
        wrong = await browser.get(f"{path}/brand-xyz.css")
        script = await browser.get("/s/-/survey.js")
    assert [answer.status_code for answer in (first, other, wrong, script)] == [200, 200, 404, 200]
    assert first.headers["cache-control"] == "no-store"
    assert script.headers["content-type"].startswith("text/javascript")
    assert "script-src 'self'" in shown.headers["content-security-policy"]
    async with collector.db.read() as conn:
        rows = await conn.fetch("select kind, page is not null as known from observations order by id")
    assert [(row["kind"], row["known"]) for row in rows] == [
        ("opened", False), ("styled", True), ("styled", False),
    ]  # fmt: skip
