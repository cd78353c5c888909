"""Answers of form tools: taken once, by whom they are of, and whatever cannot be used is found again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.cli.answers import Answered, run
from services.cli.tables import Outcome
from services.collector.domain.form_answers import Told
from services.collector.domain.forms import asked, read_forms
from services.collector.domain.settling import Patience
from services.collector.handlers.answering import Answering
from services.collector.handlers.forms import Became, FormIntake, form_survey
from shared.contracts.directory import AccountChanged, ContactChanged, ContactErased
from shared.contracts.model import Family, Payload, Person, Persona, Tier
from shared.contracts.programmes import ProgrammeState
from shared.contracts.responses import Answered as AnsweredEvent
from shared.contracts.responses import Mood, ResponseAmended, ResponseSubmitted
from shared.people import contact_of_address
from shared.runtime.ids import derive
from shared.security.roles import Scope
from tests.support.collecting import StartCollector
from tests.support.collector import CES, NPS, Collector, contact_id
from tests.support.forms import (
    FORMS,
    LOOP,
    MONKEY,
    NEW,
    OLD,
    QUALTRICS,
    TYPEFORM,
    chosen,
    monkey,
    post,
    published,
    qualtrics,
    response,
    signed,
    table,
    text,
    written,
)

pytestmark = [pytest.mark.requirement("R71"), pytest.mark.timeout(120)]

MAIL = "mia@acme.example"
ACCOUNT = derive("account", 1)


@pytest.fixture
async def site(start_collector: StartCollector, tmp_path: Path) -> Collector:
    """A collector with forms, two secrets of Typeform, two programmes, and Mia of Acme."""
    file = tmp_path / "forms.yaml"
    file.write_text(FORMS, encoding="utf-8")
    made = await start_collector({"forms_file": file, "typeform_secrets": f"{OLD}, {NEW}"})
    async with made.db.begin() as tx:
        (sealed,) = await made.sealer.seal(tx.conn, [(contact_id(1), Person(name="Mia Berg", email=MAIL))])
    await made.feed(
        published("onboarding-ces", CES),
        published("renewal-nps", NPS, family=Family.RELATIONSHIP),
        AccountChanged(
            account_id=str(ACCOUNT), version=3, external_id="a1", name="Acme", tier=Tier.KEY,
            owner="maria@northwind.example",
        ),
        ContactChanged(
            contact_id=str(contact_id(1)), version=2, account_id=str(ACCOUNT), person=sealed,
            external_id="u-1", persona=Persona.DECISION_MAKER,
        ),
    )  # fmt: skip
    return made


async def settled(site: Collector) -> list[Payload]:
    site.wait(60)
    return await site.settle()


async def findings(site: Collector, **query: str | bool) -> list[dict[str, Any]]:
    _, key = await site.access.create_key("bi", [Scope.RESPONSES_READ])
    async with site.client() as client:
        headers = {"authorization": f"Bearer {key}", "accept": "application/json"}
        found = await client.get("/v1/forms/findings", params=query, headers=headers)
    assert found.status_code == 200, found.text
    listed: list[dict[str, Any]] = found.json()["findings"]
    return listed


async def facts(site: Collector) -> Counter[tuple[str, int]]:
    """The answers that are stored: token's survey and version."""
    async with site.db.read() as conn:
        rows = await conn.fetch("select survey_id, version from answers")
    return Counter((str(row["survey_id"]), row["version"]) for row in rows)


def unhappy(**more: Any) -> dict[str, Any]:
    return response(chosen("effort", 2), text("words", "It took a day"), hidden={"contact": "u-1"}, **more)


# --- Typeform -----------------------------------------------------------------------------------------------


async def test_an_unhappy_answer_becomes_the_event_that_one_of_our_pages_would(site: Collector) -> None:
    sent = await post(site, response(
        chosen("effort", 2), text("words", "It took a day"), form_id="lT4Z3j",
        hidden={"contact": "u-1", "product": "Routes", "project": "p9", "agent": "Bo"},
    ))  # fmt: skip
    assert (sent.status_code, sent.json()) == (200, {"status": "accepted"})

    (said,) = await settled(site)

    assert isinstance(said, ResponseSubmitted)
    known = said.snapshot
    assert (known.channel, known.touchpoint, known.programme, known.version) == (
        "form", "form.answered", "onboarding-ces", "v1",
    )  # fmt: skip
    assert (known.contact_id, known.account_id, known.account_name) == (
        str(contact_id(1)),
        str(ACCOUNT),
        "Acme",
    )
    assert (known.tier, known.owner, known.persona) == ("key", "maria@northwind.example", "decision_maker")
    assert (known.product, known.subject_kind, known.subject_id) == ("Routes", "project", "p9")
    assert (known.context, known.breakdown, known.stage) == (
        {"form": "easy", "agent": "Bo"}, ("form",), "onboarding",
    )  # fmt: skip
    assert (said.mood, said.low, said.primary_score.value, said.verdict) == (Mood.UNHAPPY, 3, 2, "human")
    assert said.close_the_loop == LOOP
    assert said.received_at.isoformat() == "2026-03-03T08:59:30+00:00"
    assert said.asked_at is None
    assert await site.words(1, said.words) == {"hard": "It took a day"}
    async with site.db.read() as conn:
        (person,) = await site.sealer.open(conn, [(contact_id(1), said.person)], Person)
    assert person == Person(name="Mia Berg", email=MAIL)
    assert await findings(site) == []


async def test_a_happy_answer_leaves_at_once_though_the_programme_asks_more(site: Collector) -> None:
    assert (await post(site, response(chosen("recommend", 10), form_id="nPs42"))).status_code == 200
    (said,) = await settled(site)
    assert isinstance(said, ResponseSubmitted)
    assert (said.mood, [score.question for score in said.scores]) == (Mood.HAPPY, ["nps"])


async def test_a_replay_is_absorbed_and_another_content_is_a_conflict_that_is_recorded(
    site: Collector,
) -> None:
    first = unhappy()
    assert (await post(site, first)).json() == {"status": "accepted"}
    assert (await post(site, first | {"event_id": "again"})).json() == {"status": "duplicate"}
    other = response(chosen("effort", 7), hidden={"contact": "u-1"})
    assert (await post(site, other)).json() == {"status": "conflict"}
    assert (await post(site, other)).json() == {"status": "conflict"}

    (said,) = await settled(site)
    assert isinstance(said, AnsweredEvent)
    assert said.primary_score.value == 2, "the first stands"
    (found,) = await findings(site)
    assert (found["what"], found["form"], found["token"], found["times"]) == ("conflict", "easy", "t1", 2)
    assert (await post(site, first)).json() == {"status": "duplicate"}


async def test_replays_at_the_same_moment_are_one_answer(site: Collector) -> None:
    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(post(site, unhappy())) for _ in range(8)]
    assert Counter(call.result().json()["status"] for call in calls) == {"accepted": 1, "duplicate": 7}
    assert len(await settled(site)) == 1


async def test_what_was_changed_later_is_amended(site: Collector) -> None:
    await post(site, unhappy())
    (first,) = await settled(site)
    later = site.clock.now()
    changed = response(chosen("effort", 6), hidden={"contact": "u-1"}, at=later)
    assert (await post(site, changed)).json() == {"status": "amended"}
    assert (await post(site, unhappy())).json() == {"status": "conflict"}, "what it said before is over"
    assert (await post(site, changed)).json() == {"status": "duplicate"}
    (then,) = await settled(site)
    assert isinstance(first, ResponseSubmitted)
    assert isinstance(then, ResponseAmended)
    assert (then.survey_id, then.primary_score.value, then.received_at) == (first.survey_id, 6, later)


async def test_what_is_changed_after_the_survey_has_closed_is_refused_and_recorded(site: Collector) -> None:
    await post(site, unhappy())
    site.wait(15 * 86_400)
    late = response(chosen("effort", 6), hidden={"contact": "u-1"}, at=site.clock.now())
    answer = await post(site, late)
    assert answer.status_code == 422
    assert "after the survey had closed" in answer.text
    (found,) = await findings(site)
    assert (found["what"], found["field"]) == ("refused", "time")


@pytest.mark.parametrize("secret", [OLD, NEW])
async def test_either_secret_will_do(site: Collector, secret: str) -> None:
    assert (await post(site, unhappy(), secret)).status_code == 200


async def test_a_signature_made_by_openssl_is_accepted(site: Collector) -> None:
    # printf '%s' "$body" | openssl dgst -sha256 -hmac the-older-secret-of-two -binary | base64
    body = b'{"event_id":"e","event_type":"ping"}'
    headers = {"typeform-signature": "sha256=U/5xidL8Try4QND+dRDhT+Hcz/ueYkNGIHJB09YtSzU="}
    async with site.client() as client:
        answer = await client.post(TYPEFORM, content=body, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")


async def test_what_typeform_did_not_sign_is_refused_and_nothing_of_it_is_kept(site: Collector) -> None:
    body = written(unhappy())
    good = signed(OLD, body)["Typeform-Signature"]
    for headers in (
        {}, {"typeform-signature": good[7:]}, {"typeform-signature": f"{good[:-4]}AAA="},
        signed("somebody-elses-secret", body), {"typeform-signature": "sha256="},
    ):  # fmt: skip
        async with site.client() as client:
            answer = await client.post(TYPEFORM, content=body, headers={"accept": "*/*"} | headers)
        assert answer.status_code == 401, headers
    async with site.client() as client:
        changed = await client.post(TYPEFORM, content=body + b" ", headers={"typeform-signature": good})
    assert changed.status_code == 401
    assert (await facts(site), await findings(site)) == (Counter(), [])


async def test_a_body_beyond_the_limit_is_refused(site: Collector) -> None:
    assert (await post(site, unhappy(padding="x" * 1_100_000))).status_code == 413


async def test_without_a_secret_nothing_is_accepted(start_collector: StartCollector) -> None:
    bare = await start_collector({})
    assert (await post(bare, unhappy())).status_code == 401


async def test_a_number_outside_of_the_scale_is_refused_until_the_file_is_mended(
    site: Collector, tmp_path: Path
) -> None:
    wrong = response(chosen("effort", 10), hidden={"contact": "u-1"})
    answer = await post(site, wrong)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "score: 10 is outside of 1-7."
    assert (await post(site, wrong)).status_code == 422
    (found,) = await findings(site, form="easy")
    assert (found["reason"], found["token"], found["times"]) == ("10 is outside of 1-7", "t1", 2)
    assert await facts(site) == Counter()

    (tmp_path / "forms.yaml").write_text(
        FORMS.replace("scale: 1-7}", "scale: 1-7, values: {'10': 7}}"), encoding="utf-8"
    )
    await next(loop for loop in site.service.loops if loop.name == "forms").run()
    assert (await post(site, wrong)).json() == {"status": "accepted"}
    assert await findings(site) == []
    (found,) = await findings(site, mended=True)
    assert found["mended_at"]


async def test_a_broken_file_changes_nothing_and_stops_a_start(
    site: Collector, start_collector: StartCollector, tmp_path: Path
) -> None:
    (tmp_path / "forms.yaml").write_text(FORMS.replace("1-7", "seven"), encoding="utf-8")
    await next(loop for loop in site.service.loops if loop.name == "forms").run()
    assert (await post(site, unhappy())).json() == {"status": "accepted"}
    with pytest.raises(ValueError, match=r"forms.yaml:7: forms.easy.score.scale: must be the lowest"):
        await start_collector({"forms_file": tmp_path / "forms.yaml"})


@pytest.mark.parametrize(
    ("body", "status", "form", "field"),
    [
        (response(chosen("effort", 3), form_id="other"), 422, "typeform:other", "form_id"),
        (response(text("effort", "good")), 422, "easy", "score"),
        (response(text("words", "no score")), 422, "easy", "score.field"),
        (response(chosen("effort", 5, "nps")), 422, "easy", "score.scale"),
        (response(ident=""), 400, "typeform", "form_response.token"),
    ],
)
async def test_every_refusal_says_why_and_is_found_again(
    site: Collector, body: dict[str, Any], status: int, form: str, field: str
) -> None:
    answer = await post(site, body)
    assert answer.status_code == status
    (found,) = await findings(site)
    assert (found["what"], found["form"], found["field"]) == ("refused", form, field)
    assert found["reason"] in answer.json()["detail"]
    assert await facts(site) == Counter()


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"state": ProgrammeState.ARCHIVED}, 422, "onboarding-ces is archived"),
        ({"state": ProgrammeState.SHADOW}, 422, "onboarding-ces is shadow"),
        ({"form": NPS}, 422, "the form's scale is 1-7, nps (nps) is 0-10"),
    ],
)
async def test_a_programme_that_does_not_fit_takes_no_answer(
    site: Collector, changed: dict[str, object], status: int, reason: str
) -> None:
    await site.feed(published("onboarding-ces", CES, 2, **changed))
    assert (await post(site, unhappy())).status_code == status
    (found,) = await findings(site)
    assert found["reason"] == reason


async def test_a_programme_that_is_not_known_yet_has_typeform_come_again(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    (tmp_path / "forms.yaml").write_text(FORMS, encoding="utf-8")
    site = await start_collector({"forms_file": tmp_path / "forms.yaml", "typeform_secrets": OLD})
    answer = await post(site, unhappy())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    await site.feed(published("onboarding-ces", CES))
    assert (await post(site, unhappy())).json() == {"status": "accepted"}


# --- who answered -------------------------------------------------------------------------------------------


async def test_an_address_that_nobody_had_heard_of_is_somebody_new_of_the_company_that_is_named(
    site: Collector,
) -> None:
    new = text("your_email", "New@beta.example", "email"), text("your_name", "Nils Ny")
    await post(site, response(chosen("effort", 2), *new, hidden={"account": "a1"}))
    (said,) = await settled(site)
    assert isinstance(said, ResponseSubmitted)
    contact = contact_of_address(site.sealer.blind("email", "New@beta.example"))
    assert (said.snapshot.contact_id, said.snapshot.account_name) == (str(contact), "Acme")
    assert said.close_the_loop.ticket
    async with site.db.read() as conn:
        (person,) = await site.sealer.open(conn, [(contact, said.person)], Person)
    assert person == Person(name="Nils Ny", email="New@beta.example")


async def test_the_directory_knows_better_than_the_form_to_which_company_somebody_belongs(
    site: Collector,
) -> None:
    await site.feed(
        AccountChanged(account_id=str(derive("account", 2)), version=1, external_id="b1", name="Beta")
    )
    await post(
        site, response(chosen("effort", 2), text("your_email", MAIL, "email"), hidden={"account": "b1"})
    )
    (said,) = await settled(site)
    assert isinstance(said, ResponseSubmitted)
    assert (said.snapshot.contact_id, said.snapshot.account_name) == (str(contact_id(1)), "Acme")


@pytest.mark.parametrize(
    ("hidden", "company", "ticket", "codes"),
    [
        ({}, "", False, []),
        ({"contact": "nobody"}, "", False, ["nobody"]),
        ({"account": "nowhere"}, "", False, ["no_account"]),
        ({"account": "a1"}, "Acme", True, []),
        ({"contact": "nobody", "account": "a1"}, "Acme", True, ["nobody"]),
    ],
)
async def test_an_answer_of_nobody_known_counts_and_opens_a_ticket_only_where_a_company_is(
    site: Collector, hidden: dict[str, str], company: str, ticket: bool, codes: list[str]
) -> None:
    assert (await post(site, response(chosen("effort", 1), hidden=hidden))).json() == {"status": "accepted"}
    (said,) = await settled(site)
    assert isinstance(said, ResponseSubmitted)
    assert (said.snapshot.account_name, said.close_the_loop.ticket, said.person) == (company, ticket, "")
    assert [one["what"] for one in await findings(site)] == codes


async def test_who_was_erased_stays_unknown_and_erasing_takes_the_words(site: Collector) -> None:
    mail = "new@beta.example"
    first = response(chosen("effort", 2), text("words", "It took a day"), text("your_email", mail, "email"))
    await post(site, first)
    (said,) = await settled(site)
    assert isinstance(said, ResponseSubmitted)
    assert said.person
    contact = said.snapshot.contact_id
    await site.feed(ContactErased(contact_id=contact, version=9, erased_at=site.clock.now()))
    async with site.db.read() as conn:
        kept = await conn.fetchrow(
            "select f.digest, a.words, s.person from form_answers f join answers a using (survey_id)"
            " join surveys s using (survey_id)"
        )
    assert kept is not None
    assert (kept["digest"], kept["words"], kept["person"]) == ("", "", "")
    assert (await post(site, first)).json() == {"status": "duplicate"}
    again = response(chosen("effort", 1), text("your_email", mail, "email"), ident="t2")
    assert (await post(site, again)).json() == {"status": "accepted"}
    (then,) = await settled(site)
    assert isinstance(then, ResponseSubmitted)
    assert then.snapshot.contact_id != contact
    assert (then.person, then.close_the_loop.ticket) == ("", False)


async def test_an_old_answer_counts_in_its_day_and_calls_nobody(site: Collector) -> None:
    await post(site, unhappy(at=site.clock.now() - timedelta(days=8)))
    (said,) = await site.settle()
    assert isinstance(said, ResponseSubmitted)
    assert said.received_at == site.clock.now() - timedelta(days=8)
    loop = said.close_the_loop
    assert (loop.ticket, loop.happy_task, loop.playbook) == (False, "", "first-aid")


# --- files --------------------------------------------------------------------------------------------------


async def take(site: Collector, tmp_path: Path, key: str, *rows: Sequence[str], dry: bool = False) -> Outcome:
    """Import an export."""
    file = tmp_path / "export.csv"
    file.write_text("\ufeff" + table(*rows), encoding="utf-8")
    rules = read_forms(FORMS).value
    assert rules is not None
    rule = rules.forms[key]
    return await run(file, key, Answered(rule, asked(rule, NPS)), None if dry else intake(site))


def intake(site: Collector) -> FormIntake:
    return FormIntake(site.db, site.sealer, Answering(site.db, site.sealer, site.machine, Patience()))


async def test_an_export_of_surveymonkey_is_taken_once_and_changes_amend(
    site: Collector, tmp_path: Path
) -> None:
    rows = [
        monkey("117", "2", 'slow,\n"very"', email=MAIL, speed="1"),
        monkey("118", "Not at all likely - 0", "", email="new@beta.example"),
        monkey("119", "10"),
    ]
    checked = await take(site, tmp_path, "monkey", *MONKEY, *rows, dry=True)
    assert (checked.taken, checked.problems) == (Counter(fit=3), [])
    first = await take(site, tmp_path, "monkey", *MONKEY, *rows)
    assert (first.taken, first.problems) == (Counter(accepted=3), [])
    assert (await take(site, tmp_path, "monkey", *MONKEY, *rows)).taken == Counter(duplicate=3)
    said = [one for one in await settled(site) if isinstance(one, ResponseSubmitted)]
    assert sorted(one.primary_score.value for one in said) == [0, 2, 10]
    slow = next(one for one in said if one.primary_score.value == 2)
    assert await site.words(1, slow.words) == {"why": 'slow,\n"very"'}
    assert [(score.question, score.item, score.value) for score in slow.scores] == [
        ("nps", "", 2), ("rate", "speed", 1),
    ]  # fmt: skip

    rows[0] = monkey("117", "8", "better", email=MAIL, at="03/03/2026 09:58:00 AM")
    rows[2] = monkey("119", "1")
    again = await take(site, tmp_path, "monkey", *MONKEY, *rows)
    assert again.taken == Counter(amended=1, duplicate=1, conflict=1)
    (then,) = await settled(site)
    assert isinstance(then, ResponseAmended)
    assert (then.primary_score.value, then.mood) == (8, Mood.PASSIVE)


async def test_an_export_of_qualtrics_is_taken_without_previews_and_unfinished_responses(
    site: Collector, tmp_path: Path
) -> None:
    outcome = await take(
        site, tmp_path, "qualtrics", *QUALTRICS,
        qualtrics("R_1", "3", "slow", id="u-1"), qualtrics("R_2", "9", account="a1"),
        qualtrics("R_3", "9", status="Survey Preview"), qualtrics("R_4", "", finished="False"),
    )  # fmt: skip
    assert outcome.taken == Counter(accepted=2, preview=1, unfinished=1)
    assert outcome.problems == []
    said = [one for one in await settled(site) if isinstance(one, ResponseSubmitted)]
    assert {one.snapshot.account_name for one in said} == {"Acme"}
    assert {one.snapshot.context["form"] for one in said} == {"qualtrics"}


async def test_a_row_that_cannot_be_used_is_told_by_line_and_costs_nobody_else(
    site: Collector, tmp_path: Path
) -> None:
    rows = (
        monkey("117", "11"), monkey("118", "9", "two\nlines"), monkey("", "9"), monkey("120", "9", at="soon"),
        ("",) * 13, monkey("121", "")[:5], monkey("122", ""),
    )  # fmt: skip
    outcome = await take(site, tmp_path, "monkey", *MONKEY, *rows)
    assert outcome.taken == Counter(accepted=1)
    assert sorted((one.line, one.field) for one in outcome.problems) == [
        (3, "score"), (6, "response_id"), (7, "time"), (9, ""), (10, "score.field"),
    ]  # fmt: skip
    assert all(one.reason and one.what_to_do for one in outcome.problems)
    kept = [(one["token"], one["field"]) for one in await findings(site, form="monkey")]
    assert kept == [("117", "score"), ("122", "score.field")]


async def test_a_file_of_another_tool_is_refused_whole(site: Collector, tmp_path: Path) -> None:
    outcome = await take(site, tmp_path, "qualtrics", *MONKEY, monkey("117", "9"))
    assert outcome.taken == Counter()
    assert [(one.line, one.reason) for one in outcome.problems] == [
        (1, "the third line is not Qualtrics' own")
    ]


async def test_the_forms_are_listed_with_what_came_by_them(site: Collector) -> None:
    await post(site, unhappy())
    await post(site, response(chosen("effort", 9), ident="t2"))
    _, key = await site.access.create_key("bi", [Scope.RESPONSES_READ])
    async with site.client() as client:
        listed = (await client.get("/v1/forms", headers={"authorization": f"Bearer {key}"})).json()["forms"]
        assert (await client.get("/v1/forms", headers={"accept": "application/json"})).status_code == 401
    easy = next(one for one in listed if one["form"] == "easy")
    assert (easy["tool"], easy["programme"], easy["answers"], easy["refused"]) == (
        "typeform",
        "onboarding-ces",
        1,
        1,
    )
    assert [one["form"] for one in listed] == ["easy", "loyal", "monkey", "qualtrics"]


# --- exactly once -------------------------------------------------------------------------------------------

TELLING = st.tuples(st.sampled_from("abc"), st.sampled_from(["0", "5", "9", "11"]), st.integers(0, 2))
"""Token, score, and how many minutes after the first possible time it was sent."""


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(tellings=st.lists(TELLING, max_size=8), cuts=st.sets(st.integers(1, 7)), times=st.integers(1, 3))
async def test_however_often_and_in_whatever_parts_answers_are_told_the_same_stand(
    site: Collector, tellings: list[tuple[str, str, int]], cuts: set[int], times: int
) -> None:
    """Each token has the answer that was told first, amended by what was told later with a later time."""
    async with site.db.begin() as tx:
        await tx.conn.execute(
            "truncate form_answers, form_findings, answers, responses, settling, hand_overs, surveys cascade"
        )
    rules = read_forms(FORMS).value
    assert rules is not None
    begin = site.clock.now() - timedelta(hours=1)
    expected: dict[str, tuple[str, int]] = {}
    for token, score, minute in tellings:
        if score != "11" and (token not in expected or minute > expected[token][1]):
            expected[token] = (score, minute)

    told = [
        Told(token, begin + timedelta(minutes=minute), {"recommend": (score,)})
        for token, score, minute in tellings
    ]
    edges = [0, *sorted(cut for cut in cuts if cut < len(told)), len(told)]
    for first, last in pairwise(edges):
        for _ in range(times):
            became = await intake(site).take("loyal", rules.forms["loyal"], told[first:last])
            assert [one.became is Became.REFUSED for one in became] == [
                one.values["recommend"] == ("11",) for one in told[first:last]
            ]

    async with site.db.read() as conn:
        rows = await conn.fetch(
            "select distinct on (survey_id) survey_id, scores::json -> 0 ->> 2 as score from answers"
            " order by survey_id, version desc"
        )
    stands = {row["survey_id"]: row["score"] for row in rows}
    assert stands == {form_survey("loyal", token): score for token, (score, _) in expected.items()}
