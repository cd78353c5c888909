"""An answer to a form of another tool through all five services: told, counted once, found, cared for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.cli.answers import Answered, run
from services.collector.domain.forms import asked, read_forms
from services.collector.domain.settling import Patience
from services.collector.handlers.answering import Answering
from services.collector.handlers.forms import FormIntake
from services.collector.store.forms import load_programme
from shared.security.roles import Role
from tests.support.books import balanced
from tests.support.forms import QUALTRICS, TYPEFORM, chosen, qualtrics, response, signed, table, text, written
from tests.support.house import House, someone
from tests.support.rooms import FORM_TOOL, ROOT
from tests.support.townsfolk import hire

pytestmark = [pytest.mark.e2e, pytest.mark.requirement("R71", "R72")]


async def test_an_unhappy_answer_to_a_typeform_is_one_fact_and_one_ticket(house: House) -> None:
    rita = await hire(house, "rita", Role.REP)
    company = {"id": "acme", "name": "Acme Robotics", "tier": "key", "owner": rita.email}
    await house.tell("contact.updated", contact=someone("elsa"), account=company)
    await house.settle()

    unhappy = _delivery(1, "late and damaged", contact="acme-elsa", order="o1", carrier="Falcon")
    assert (await _told(house, unhappy)).json() == {"status": "accepted"}
    await house.later(minutes=5)
    assert (await _told(house, unhappy | {"event_id": "sent again"})).json() == {"status": "duplicate"}
    await house.crash()
    assert (await _told(house, unhappy)).json() == {"status": "duplicate"}
    # Somebody new, and somebody happy of whom nothing is known.
    new = _delivery(2, "", ident="t2", email="new@acme.example", account="acme", carrier="Falcon")
    assert (await _told(house, new)).json() == {"status": "accepted"}
    assert (await _told(house, _delivery(5, "", ident="t3", carrier="Falcon"))).json() == {
        "status": "accepted"
    }
    await house.later(minutes=5)

    books = await balanced(house)
    assert books.collector.responses == {"counted": 3}
    assert (books.scoring.answered, books.scoring.handed_over, books.alerts.unhappy) == (3, 0, 2)
    async with house.service("scoring").platform.db.read() as conn:
        facts = await conn.fetch(
            "select snapshot ->> 'channel' as channel, snapshot -> 'context' ->> 'form' as form,"
            " snapshot ->> 'account_id' is not null as known from answer_facts"
        )
    assert [(fact["channel"], fact["form"]) for fact in facts] == [("form", "delivery-form")] * 3
    assert sum(fact["known"] for fact in facts) == 2
    async with house.service("alerts").platform.db.read() as conn:
        tickets = await conn.fetchval("select count(*) from tickets")
    assert tickets == 1, "the second one of the company joins the first"
    assert any("Acme Robotics" in mail.subject + mail.text for mail in house.mails(rita.email))
    async with house.service("trigger").platform.db.read() as conn:
        people = await conn.fetchval("select count(*) from contacts where email_hash <> ''")
    assert people == 2, "the directory learns of who was new"
    listed = " ".join((await rita.see("/answers/forms")).text.split())
    assert '<td class="n" data-label="Answers">3</td>' in listed
    assert "Everything could be used." in listed


async def test_an_export_of_qualtrics_is_counted_and_cared_for_like_any_answer(
    house: House, tmp_path: Any
) -> None:
    rita = await hire(house, "rita", Role.REP)
    company = {"id": "acme", "name": "Acme Robotics", "tier": "key", "owner": rita.email}
    await house.tell("contact.updated", contact=someone("elsa"), account=company)
    await house.settle()
    file = tmp_path / "export.csv"
    header = tuple(
        (*line, *more) for line, more in zip(QUALTRICS, (("Q3",), ("Why?",), ("{}",)), strict=True)
    )
    unhappy = qualtrics("R_1", "2", "too dear", email=someone("elsa")["email"])
    file.write_text(table(*header, (*unhappy, "")), encoding="utf-8")

    taken = [await _imported(house, file) for _ in range(2)]
    assert taken == [{"accepted": 1}, {"duplicate": 1}]
    await house.later(minutes=5)
    books = await balanced(house)
    assert (books.scoring.answered, books.alerts.unhappy) == (1, 1)
    assert any("Acme Robotics" in mail.subject + mail.text for mail in house.mails(rita.email))


async def _imported(house: House, file: Any) -> dict[str, int]:
    rules = read_forms((ROOT / "docs/forms.example.yaml").read_text(encoding="utf-8")).value
    assert rules is not None
    rule = rules.forms["renewal-qualtrics"]
    platform = house.service("collector").platform
    async with platform.db.read() as conn:
        programme = await load_programme(conn, rule.programme)
    assert programme is not None
    answering = Answering(platform.db, platform.sealer, platform.machine, Patience())
    intake = FormIntake(platform.db, platform.sealer, answering)
    outcome = await run(file, "renewal-qualtrics", Answered(rule, asked(rule, programme.form)), intake)
    assert outcome.problems == []
    return dict(outcome.taken)


def _delivery(score: int, words: str, *, ident: str = "t1", email: str = "", **hidden: str) -> dict[str, Any]:
    answers = [chosen("satisfaction", score)]
    answers += [text("what_happened", words)] if words else []
    answers += [text("your_email", email, "email")] if email else []
    return response(*answers, ident=ident, hidden=hidden)


async def _told(house: House, body: dict[str, Any]) -> httpx.Response:
    raw = written(body)
    async with house.browser(**signed(FORM_TOOL, raw)) as client:
        answer = await house.survive(lambda: client.post(TYPEFORM, content=raw))
    assert answer.status_code == 200, answer.text
    return answer
