"""Improvement actions on a real database: kept, linked, shipped, told of and measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.alerts.domain.effect import SETTLES, SPAN, Cases
from services.alerts.domain.improvements import Improvement, Plan
from services.alerts.domain.model import Refused
from services.alerts.handlers.actions import Action as CaseAction
from services.alerts.handlers.actions import Wish as CaseWish
from services.alerts.handlers.actions import act as act_on_case
from services.alerts.handlers.counting import count_effects, count_so_far, republish
from services.alerts.handlers.improving import Action, Wish, act, keep
from services.alerts.store import improvements
from shared.contracts.directory import ContactErased
from shared.contracts.improvements import ImprovementChanged, Stage, Verdict
from shared.contracts.messages import MessageKind, MessageRequested
from shared.contracts.model import Person
from shared.runtime.ids import derive
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, T0, event, snapshot

ID = derive("improvement", "export")
DAY = timedelta(days=1)
SAID = {"en": "Exports now wait until all rows are there.", "sv": "Exporten väntar nu på alla rader."}


async def kept(office: Office, **more: Any) -> Improvement | Refused:
    rita = office.team.ids["rita"]
    plan = Plan("Export never runs empty", 5, 2, rita, date(2026, 4, 1), "product_defect", "ticket-resolved")
    async with office.db.begin() as tx:
        return await keep(office.desk, tx, ID, replace(plan, **more), rita)


async def does(
    office: Office, action: Action, *, improvement: UUID = ID, **more: Any
) -> Improvement | Refused:
    async with office.db.begin() as tx:
        return await act(office.desk, tx, improvement, Wish(action, office.team.ids["rita"], **more))


async def cases(office: Office) -> list[UUID]:
    return [row[0] for row in await office.rows("select id from tickets order by opened_at, id")]


async def unhappy(office: Office, *people: str, locale: str = "en") -> None:
    said = [
        await office.says.answered(
            f"r-{who}", 2, T0, account=f"of-{who}", contact=who,
            snapshot=snapshot(f"of-{who}", who, locale=locale),
        )
        for who in people
    ]  # fmt: skip
    await office.hears(*said)


async def told(office: Office) -> list[MessageRequested]:
    rows = await office.rows("select value from outbox where headers like '%message.requested%' order by id")
    found = [MessageRequested.model_validate_json(row[0]) for row in rows]
    return [one for one in found if one.kind is MessageKind.YOU_SAID_WE_DID]


async def announced(office: Office) -> list[ImprovementChanged]:
    rows = await office.rows("select value from outbox where topic = 'afterword.improvements' order by id")
    return [ImprovementChanged.model_validate_json(row[0]) for row in rows]


@pytest.mark.requirement("R76")
async def test_an_improvement_is_proposed_once_and_every_change_is_written_down(office: Office) -> None:
    first = await kept(office)
    assert isinstance(first, Improvement)
    assert await kept(office) == first, "twice is once"
    assert isinstance(await kept(office, due_on=date(2026, 5, 1)), Improvement)
    assert isinstance(await does(office, Action.PLAN), Improvement)
    assert isinstance(await does(office, Action.START, seen=2), Refused), "somebody was faster"
    assert isinstance(await does(office, Action.START, seen=3), Improvement)
    assert isinstance(await does(office, Action.DROP), Refused)
    assert isinstance(await does(office, Action.DROP, note="The new product replaces it."), Improvement)
    assert await office.rows("select did, data ->> 'to' from improvement_lines order by id") == [
        ("opened", None),
        ("edited", None),
        ("moved", "planned"),
        ("moved", "under_way"),
        ("moved", "dropped"),
    ]
    assert isinstance(await kept(office, owner=derive("user", "stranger")), Refused)


@pytest.mark.requirement("R76", "R81")
async def test_who_raised_it_hears_once_what_was_changed_in_their_language(office: Office) -> None:
    await kept(office)
    await unhappy(office, "ana", "bo")
    await unhappy(office, "siv", locale="sv-SE")
    await unhappy(office, "pat", locale="pt")
    for ticket in await cases(office):
        await does(office, Action.LINK, ticket=ticket)
    assert isinstance(await does(office, Action.TELL, words=SAID), Refused), "nothing is shipped"
    shipped = await does(office, Action.SHIP, words=SAID)
    assert isinstance(shipped, Improvement)
    assert shipped.stage is Stage.SHIPPED
    found = await told(office)
    assert {(one.snapshot.contact_id, one.slots["text"]) for one in found} == {
        (str(derive("contact", "ana")), SAID["en"]),
        (str(derive("contact", "bo")), SAID["en"]),
        (str(derive("contact", "siv")), SAID["sv"]),
    }
    assert all("rita" not in one.model_dump_json() for one in found), "whose answer it is travels sealed"
    async with office.db.read() as conn:
        (rep,) = await office.desk.sealer.open(
            conn, [(UUID(found[0].snapshot.contact_id), found[0].reply_to)], Person
        )
        raised = await improvements.raised(conn, ID, MessageKind.YOU_SAID_WE_DID.value)
    assert rep is not None
    assert rep.email == "rita@afterword.test", "answers go to whose improvement it is"
    assert [who.language for who in raised if who.state is None] == ["pt"]
    await does(office, Action.TELL, words={**SAID, "pt": "Agora a exportação espera."})
    await does(office, Action.TELL, words={**SAID, "pt": "Agora a exportação espera."})
    assert len(await told(office)) == 4
    # Not shipped after all, then shipped: nobody hears it again.
    await does(office, Action.START)
    await does(office, Action.SHIP, words=SAID)
    assert len(await told(office)) == 4


@pytest.mark.requirement("R76", "R81")
async def test_who_was_erased_or_took_the_answer_back_is_not_told(office: Office) -> None:
    await kept(office)
    await unhappy(office, "ana", "bo", "cy")
    for ticket in await cases(office):
        await does(office, Action.LINK, ticket=ticket)
    await office.hears(
        event(ContactErased(contact_id=str(derive("contact", "ana")), version=9, erased_at=T0), T0),
        office.says.withdrawn("r-bo", T0, version=2, account="of-bo", contact="bo"),
    )
    await does(office, Action.SHIP, words=SAID)
    assert [one.snapshot.contact_id for one in await told(office)] == [str(derive("contact", "cy"))]


@pytest.mark.requirement("R76")
async def test_cases_of_its_cause_are_linked_at_once_and_taken_off_again(office: Office) -> None:
    await kept(office)
    await unhappy(office, "ana", "bo", "cy")
    rita = office.team.ids["rita"]
    *two, other = await cases(office)
    for ticket in (*two, other):
        async with office.db.begin() as tx:
            wish = CaseWish(CaseAction.CONTACT, rita, via="phone", note="Spoke with them.")
            await act_on_case(office.desk, tx, ticket, wish)
            cause = "price" if ticket == other else "product_defect"
            wish = CaseWish(CaseAction.RESOLVE, rita, cause=cause, note="Done.", lesson="Test it.")
            assert not isinstance(await act_on_case(office.desk, tx, ticket, wish), Refused)
    await does(office, Action.LINK)
    await does(office, Action.LINK)
    linked = await office.rows("select ticket_id from improvement_cases order by 1")
    assert linked == [(ticket,) for ticket in sorted(two)]
    said = await office.rows("select data ->> 'cases' from improvement_lines where did = 'linked'")
    assert said == [("2",)]
    await does(office, Action.UNLINK, ticket=two[0])
    assert await office.rows("select ticket_id from improvement_cases") == [(two[1],)]


@pytest.mark.requirement("R76")
async def test_its_effect_is_the_score_before_and_since_with_the_number_of_customers(office: Office) -> None:
    await kept(office)
    before = [
        await office.says.answered(f"b{n}", 3, T0 - DAY, account=f"a{n}", contact=f"c{n}") for n in range(8)
    ]
    too_old = await office.says.answered("old", 10, T0 - SPAN - DAY, account="a0", contact="c0")
    await office.hears(*before, too_old)
    office.clock.set(T0)
    await does(office, Action.SHIP)
    assert isinstance(await does(office, Action.MEASURE, note="Better."), Refused)
    after = [await office.says.answered(f"n{n}", 10, T0, account=f"a{n}", contact=f"c{n}") for n in range(8)]
    elsewhere = await office.says.answered(
        "x", 0, T0, account="a1", contact="c1", snapshot=snapshot("a1", "c1", programme="delivery")
    )
    await office.hears(*after, elsewhere)
    office.clock.set(T0 + DAY)
    async with office.db.read() as conn:
        one = await improvements.get(conn, ID)
        assert one is not None
        (found,) = await improvements.effects(conn, one, office.clock.now())
        product = replace(one, plan=replace(one.plan, product="Other"))
        of_product = await improvements.effects(conn, product, office.clock.now())
    assert of_product == []
    assert (found.verdict, found.before.n, found.after.accounts, found.points) == (Verdict.BETTER, 8, 8, 200)
    measured = await does(office, Action.MEASURE, note="Complaints about the export are gone.")
    assert isinstance(measured, Improvement)
    assert measured.ended_at == T0 + DAY


@pytest.mark.requirement("R76", "R81")
async def test_who_wrote_a_comment_without_a_case_has_raised_it_too(office: Office) -> None:
    await kept(office)
    await unhappy(office, "ana")
    await office.hears(await office.says.answered("passive", 8, T0, account="of-bo", contact="bo"))
    for response in ("r-ana", "passive", "passive", "nobody's"):
        await does(office, Action.LINK, response=derive("response", response))
    linked = await office.rows("select ticket_id from improvement_cases")
    assert linked == [(one,) for one in await cases(office)]
    (comment,) = await office.rows("select response_id from improvement_answers")
    assert comment == (derive("response", "passive"),)
    async with office.db.read() as conn:
        assert await improvements.voices(conn, [ID]) == {ID: 2}
    await does(office, Action.SHIP, words=SAID)
    people = {str(derive("contact", who)) for who in ("ana", "bo")}
    assert {one.snapshot.contact_id for one in await told(office)} == people
    await does(office, Action.UNLINK, response=derive("response", "passive"))
    async with office.db.read() as conn:
        assert await improvements.voices(conn, [ID]) == {ID: 1}
    did = await office.rows("select did from improvement_lines where did in ('heard', 'unheard', 'linked')")
    assert did == [("linked",), ("heard",), ("unheard",)]


@pytest.mark.requirement("R76")
async def test_others_are_told_how_it_stands_and_not_of_notes(office: Office) -> None:
    await kept(office)
    await kept(office)
    await does(office, Action.NOTE, note="Asked the vendor.")
    await kept(office, effort=1)
    await does(office, Action.SHIP)
    found = await announced(office)
    assert [(one.stage, one.effort) for one in found] == [
        (Stage.PROPOSED, 2), (Stage.PROPOSED, 1), (Stage.SHIPPED, 1)
    ]  # fmt: skip
    assert (found[-1].shipped_at, found[-1].owner) == (T0, str(office.team.ids["rita"]))
    keys = await office.rows("select distinct key from outbox where topic = 'afterword.improvements'")
    assert keys == [(str(ID).encode(),)]
    async with office.db.begin() as tx:
        await republish(tx)
    assert (await announced(office))[-1].version == found[-1].version


@pytest.mark.requirement("R76")
async def test_a_day_after_the_90_days_its_effect_is_counted_for_good(office: Office) -> None:
    await kept(office)
    for name, at, score in (("b", T0 - DAY, 3), ("n", T0 + DAY, 10)):
        said = [
            await office.says.answered(f"{name}{n}", score, at, account=f"a{n}", contact=f"c{n}")
            for n in range(8)
        ]
        await office.hears(*said)
    office.clock.set(T0)
    await does(office, Action.SHIP)
    office.clock.set(T0 + SPAN + SETTLES)
    assert await count_effects(office.db) == 0
    office.clock.set(T0 + SPAN + SETTLES + DAY)
    assert await count_effects(office.db) == 1
    assert await count_effects(office.db) == 0
    gone = [
        office.says.withdrawn(f"n{n}", T0 + SPAN + DAY, version=2, account=f"a{n}", contact=f"c{n}")
        for n in range(8)
    ]
    await office.hears(*gone)
    async with office.db.read() as conn:
        one = await improvements.get(conn, ID)
        assert one is not None
        (found,) = await improvements.effects(conn, one, office.clock.now())
        assert (found.verdict, found.after.n, found.points) == (Verdict.BETTER, 8, 200)
        assert await improvements.cases_by_cause(conn, one, office.clock.now()) == Cases(0, 0)
    (told,) = (await announced(office))[-1].effects
    assert (told.n_before, told.n_after, told.verdict) == (8, 8, Verdict.BETTER)
    assert isinstance(await does(office, Action.MEASURE, note="It is."), Improvement)
    assert (await announced(office))[-1].effects == (told,)


@pytest.mark.requirement("R76")
async def test_what_it_has_changed_so_far_is_counted_once_in_an_hour_and_when_what_it_counts_by_changes(
    office: Office,
) -> None:
    await kept(office)

    async def says(name: str, score: int) -> None:
        at = office.clock.now()
        said = [
            await office.says.answered(f"{name}{n}", score, at, account=f"a{n}", contact=f"c{n}")
            for n in range(8)
        ]
        await office.hears(*said)

    async def after() -> int:
        async with office.db.read() as conn:
            one = await improvements.get(conn, ID)
            assert one is not None
            found = await improvements.stands(conn, one, office.clock.now())
        return sum(each.after.n for each in found.effects)

    await says("b", 3)
    office.clock.advance(HOUR)
    await does(office, Action.SHIP)
    assert await count_so_far(office.db) == 1
    office.clock.advance(HOUR / 2)
    await says("n", 10)
    assert (await count_so_far(office.db), await after()) == (0, 0)
    office.clock.advance(HOUR)
    assert (await count_so_far(office.db), await after()) == (1, 8)
    await says("m", 10)
    await kept(office, product="Exports")
    assert await after() == 0, "nobody has spoken of this product"
    await kept(office, product="")
    assert await after() == 8
    office.clock.advance(3 * HOUR)
    assert await after() == 16, "what nobody has counted for hours is not shown"
