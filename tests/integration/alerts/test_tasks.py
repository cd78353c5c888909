"""Tasks of passives and promoters as answers are heard: once, called off, forgotten, handed on."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.alerts.domain.model import Refused
from services.alerts.domain.referrals import Referral, ReferralState
from services.alerts.domain.rota import Rota
from services.alerts.domain.tasks import Task
from services.alerts.handlers import following
from services.alerts.handlers.tasks import Action, Recommendation, Wish, act, refer
from services.alerts.store import referrals, rota, task_views
from shared.contracts.directory import ContactChanged, ContactErased
from shared.contracts.forms import Permission
from shared.contracts.permissions import PermissionNoted
from shared.contracts.responses import (
    ResponseAmended,
    ResponseHeld,
    ResponseReleased,
    ResponseSubmitted,
)
from shared.contracts.surveys import CloseTheLoop
from shared.runtime.ids import derive
from tests.integration.alerts.conftest import Office
from tests.support.alerts import T0, event, snapshot

LOOP = CloseTheLoop(neutral_task="quarterly_follow_up", happy_task="referral")
DAY = timedelta(days=1)


async def said(office: Office, response: str, score: int, at: Any = T0, **more: Any) -> Any:
    return await office.says.answered(response, score, at, close_the_loop=LOOP, **more)


async def states(office: Office) -> list[tuple[str, str]]:
    return await office.rows("select kind, state from tasks order by answered_at, kind")


async def only(office: Office) -> UUID:
    ((found,),) = await office.rows("select id from tasks where state = 'open'")
    assert isinstance(found, UUID)
    return found


async def does(office: Office, task_id: UUID, action: Action, **more: Any) -> Task | Refused:
    async with office.db.begin() as tx:
        return await act(office.desk, tx, task_id, Wish(action, office.team.ids["rita"], **more))


async def recommends(office: Office, task_id: UUID, state: str = "sent", **more: Any) -> Referral | Refused:
    rita = office.team.ids["rita"]
    async with office.db.begin() as tx:
        told = Recommendation(more.pop("reference", "crm-1"), rita, ReferralState(state), **more)
        return await refer(office.desk, tx, task_id, told)


@pytest.mark.requirement("R73", "R74")
async def test_passives_and_promoters_each_lead_to_one_task_for_the_accounts_owner(office: Office) -> None:
    owned = snapshot(owner="rita@afterword.test")
    events = [
        await said(office, "p", 10, snapshot=owned),
        await said(
            office, "n", 7, contact="bo", snapshot=snapshot(contact="bo", owner="rita@afterword.test")
        ),
        await said(office, "d", 2, contact="cy", snapshot=snapshot(contact="cy")),
    ]
    await office.hears(*events)
    await office.hears(*events)
    assert await office.rows("select kind, owner, due_at - answered_at from tasks order by kind") == [
        ("quarterly_follow_up", office.team.ids["rita"], 90 * DAY),
        ("referral", office.team.ids["rita"], 14 * DAY),
    ]
    assert await office.rows("select did, count(*)::int from task_lines group by 1") == [("opened", 2)]
    # A colleague of the passive, and the promoter again: one of a kind is open for each.
    await office.hears(
        await said(office, "n2", 8, T0 + DAY, contact="dee"), await said(office, "p2", 9, T0 + DAY)
    )
    assert len(await states(office)) == 2
    assert await office.rows("select kind, reason from task_decisions where reason <> '' order by 1") == [
        ("quarterly_follow_up", "open"),
        ("referral", "open"),
    ]


@pytest.mark.requirement("R73", "R74")
async def test_an_account_without_an_owner_is_followed_up_by_who_is_on_call(office: Office) -> None:
    async with office.db.begin() as tx:
        await rota.save(tx.conn, Rota((office.team.ids["mia"],)))
    await office.hears(await said(office, "p", 10))
    assert await office.rows("select owner from tasks") == [(office.team.ids["mia"],)]


@pytest.mark.requirement("R74")
async def test_what_is_held_leads_to_nothing_until_a_person_is_seen_in_it(office: Office) -> None:
    await office.hears(await said(office, "p", 10, model=ResponseHeld))
    assert await states(office) == []
    await office.hears(await said(office, "p", 10, model=ResponseReleased, version=2))
    assert await states(office) == [("referral", "open")]
    await office.hears(await said(office, "p", 10, model=ResponseHeld, version=3))
    assert await states(office) == [("referral", "dropped")]
    await office.hears(await said(office, "p", 10, model=ResponseReleased, version=4))
    assert await states(office) == [("referral", "open")]
    await office.hears(office.says.withdrawn("p", T0, version=5))
    assert await states(office) == [("referral", "dropped")]


async def praised(office: Office, version: int = 1, **more: Any) -> None:
    """Ana praises us, and is to be asked for a testimonial."""
    model = ResponseAmended if version > 1 else ResponseSubmitted
    loop = CloseTheLoop(happy_task="testimonial")
    given: dict[str, Any] = {"close_the_loop": loop, "version": version, "model": model} | more
    await office.hears(await office.says.answered("p", 10, T0, **given))


def noted(given: bool, version: int = 1, minutes: int = 5) -> Any:
    """Somebody else wrote down what Ana said about being quoted."""
    told = PermissionNoted(
        response_id=str(derive("response", "p")), version=version, permission=Permission.QUOTE, given=given,
        by="key:crm", at=T0 + timedelta(minutes=minutes),
    )  # fmt: skip
    return event(told, T0)


@pytest.mark.requirement("R74", "R84")
async def test_what_a_rep_is_told_about_being_quoted_reaches_whoever_publishes(office: Office) -> None:
    await praised(office)
    task_id = await only(office)
    for action, note, why in (
        (Action.QUOTABLE, " ", "Write down how"),
        (Action.QUOTABLE, "On the phone today.", ""),
        (Action.DONE, "", ""),
        (Action.UNQUOTABLE, "", ""),
    ):
        done = await does(office, task_id, action, note=note)
        assert (done.why if isinstance(done, Refused) else "").startswith(why)
        office.clock.advance(timedelta(minutes=1))
    assert await office.rows("select quotable, state from tasks") == [(False, "open")]
    lines = await office.rows("select did, by_user, data ->> 'how' from task_lines order by id")
    rita = office.team.ids["rita"]
    assert lines[1:] == [("quotable", rita, "word"), ("done", rita, None), ("unquotable", rita, "word")]
    told = await office.rows("select value from outbox where topic = 'afterword.permissions' order by id")
    said = [json.loads(value) for (value,) in told]
    assert [(one["given"], one["version"], one["by"]) for one in said] == [
        (True, 1, f"user:{rita}"), (False, 1, f"user:{rita}"),
    ]  # fmt: skip
    # What was said of these words is not said of others; a tick is.
    await praised(office, 2)
    assert await office.rows("select quotable from tasks") == [(False,)]
    await praised(office, 3, permissions=("quote",))
    assert await office.rows("select quotable from tasks") == [(True,)]


@pytest.mark.requirement("R74", "R84")
async def test_what_was_said_elsewhere_about_being_quoted_reaches_the_task(office: Office) -> None:
    await praised(office, permissions=("quote",))
    task_id = await only(office)
    assert not isinstance(await does(office, task_id, Action.DONE), Refused)
    taken_back = noted(given=False)
    await office.hears(taken_back)
    await office.hears(taken_back, noted(given=True, minutes=4))
    assert await office.rows("select quotable, state from tasks") == [(False, "open")]
    assert len(await office.rows("select from task_lines where did = 'unquotable'")) == 1
    await office.hears(noted(given=True, minutes=6))
    assert await office.rows("select quotable from tasks") == [(True,)]


@pytest.mark.requirement("R74", "R84")
async def test_what_was_said_counts_when_it_is_heard_before_the_answer(office: Office) -> None:
    await office.hears(noted(given=True, version=2))
    await praised(office, permissions=("quote",))
    assert await office.rows("select quotable from tasks") == [(False,)], "other words than those agreed to"
    await praised(office, 2)
    assert await office.rows("select quotable from tasks") == [(True,)]


@pytest.mark.requirement("R74", "R84")
@pytest.mark.parametrize("late", [False, True])
async def test_a_no_by_word_outlasts_other_changes_of_the_answer_until_they_tick_anew(
    office: Office, *, late: bool
) -> None:
    async def ticks(version: int, minute: int) -> None:
        at = {Permission.QUOTE: T0 + timedelta(minutes=minute)}
        await praised(office, version, permissions=("quote",), permitted_at=at)

    await ticks(1, 0)
    if late:  # the topics have no order among each other
        await ticks(2, 0)
        await office.hears(noted(given=False))
    else:
        await office.hears(noted(given=False))
        await ticks(2, 0)
    assert await office.rows("select quotable from tasks") == [(False,)]
    await ticks(4, 60)
    assert await office.rows("select quotable from tasks") == [(True,)]
    await office.hears(noted(given=False))
    assert await office.rows("select quotable from tasks") == [(True,)], "heard twice"


@pytest.mark.requirement("R74", "R84")
async def test_words_of_who_was_erased_or_took_them_back_can_be_released_by_nobody(office: Office) -> None:
    await praised(office)
    task_id = await only(office)
    await does(office, task_id, Action.NOTE, note="She thinks about it.")
    await office.hears(office.says.withdrawn("p", T0, version=2))
    refused = await does(office, task_id, Action.QUOTABLE, note="She said yes.")
    assert isinstance(refused, Refused)
    assert "does not count" in refused.why
    erased = ContactErased(contact_id=str(derive("contact", "ana")), version=2, erased_at=T0)
    await office.hears(event(erased, T0))
    assert isinstance(await does(office, task_id, Action.QUOTABLE, note="She said yes."), Refused)
    assert await office.rows("select from outbox where topic = 'afterword.permissions'") == []


@pytest.mark.requirement("R74", "R84")
async def test_a_task_knows_whether_the_answer_may_be_quoted_now(office: Office) -> None:
    loop = CloseTheLoop(happy_task="testimonial")

    async def says(version: int, **more: Any) -> None:
        model = ResponseAmended if version > 1 else ResponseSubmitted
        given: dict[str, Any] = {"close_the_loop": loop, "version": version, "model": model} | more
        await office.hears(await office.says.answered("p", 10, T0, **given))

    async def stands() -> list[tuple[bool, str]]:
        return await office.rows("select quotable, state from tasks")

    await says(1, permissions=("contact",))
    assert await stands() == [(False, "open")]
    await says(2, permissions=("quote",))
    assert await stands() == [(True, "open")]
    task_id = await only(office)
    assert not isinstance(await does(office, task_id, Action.DONE), Refused)
    await says(3)
    assert await stands() == [(False, "open")]
    assert await office.rows("select did from task_lines order by id") == [
        ("opened",), ("quotable",), ("done",), ("unquotable",),
    ]  # fmt: skip
    await says(4, permissions=("quote",))
    await office.hears(office.says.withdrawn("p", T0, version=5))
    assert (await stands())[0][0] is False
    await says(6, permissions=("quote",))
    erased = ContactErased(contact_id=str(derive("contact", "ana")), version=2, erased_at=T0)
    await office.hears(event(erased, T0))
    assert (await stands())[0][0] is False


@pytest.mark.requirement("R73", "R74")
async def test_who_changes_the_answer_gets_the_task_of_the_new_one(office: Office) -> None:
    await office.hears(await said(office, "p", 10))
    await office.hears(await said(office, "p", 7, T0 + DAY, model=ResponseAmended, version=2))
    assert sorted(await states(office)) == [("quarterly_follow_up", "open"), ("referral", "dropped")]
    await does(office, await only(office), Action.NOTE, note="They wait for the new export.")
    await office.hears(await said(office, "p", 2, T0 + DAY, model=ResponseAmended, version=3))
    assert ("quarterly_follow_up", "open") in await states(office)
    assert await office.rows("select data ->> 'why' from task_lines where did = 'doubted'") == [("unhappy",)]


@pytest.mark.requirement("R74", "R75")
async def test_of_the_erased_nothing_is_to_be_done_and_nothing_counts(office: Office) -> None:
    await office.hears(await said(office, "p", 10))
    task_id = await only(office)
    assert isinstance(await recommends(office, task_id, who="Nordlys AS"), Referral)
    erased = ContactErased(contact_id=str(derive("contact", "ana")), version=9, erased_at=T0)
    await office.hears(event(erased, T0))
    assert await states(office) == [("referral", "dropped")]
    assert await office.rows("select count(*)::int from referrals") == [(0,)]
    assert isinstance(await recommends(office, task_id), Refused)
    assert isinstance(await does(office, task_id, Action.REOPEN), Refused)
    await office.hears(await said(office, "late", 10, T0 + 400 * DAY))
    assert await office.rows("select reason from task_decisions where task_id is null") == [("erased",)]


async def test_who_was_merged_is_not_asked_twice(office: Office) -> None:
    await office.hears(await said(office, "p", 10, contact="ana"))
    into = str(derive("contact", "bo"))
    await office.hears(
        event(
            ContactChanged(contact_id=str(derive("contact", "ana")), version=2, person="", merged_into=into),
            T0,
        )
    )
    await office.hears(await said(office, "p2", 10, T0 + DAY, contact="bo"))
    assert await states(office) == [("referral", "open")]


@pytest.mark.requirement("R73", "R74")
async def test_a_task_that_was_declined_comes_back_when_its_time_is_over(office: Office) -> None:
    await office.hears(await said(office, "p", 10))
    task_id = await only(office)
    assert isinstance(await does(office, task_id, Action.DECLINE), Refused)
    declined = await does(office, task_id, Action.DECLINE, note="They give no references.")
    assert isinstance(declined, Task)
    office.clock.set(T0 + 200 * DAY)
    await office.hears(
        await said(office, "soon", 10, T0 + 179 * DAY), await said(office, "p2", 9, T0 + 181 * DAY)
    )
    assert await states(office) == [("referral", "declined"), ("referral", "open")]
    assert isinstance(await does(office, task_id, Action.REOPEN), Refused)
    stale = await does(office, await only(office), Action.DONE, seen=0)
    assert isinstance(stale, Refused)
    assert isinstance(await does(office, await only(office), Action.DONE, seen=1), Task)


async def test_the_tasks_of_one_who_left_go_to_who_takes_care_now(office: Office) -> None:
    await office.hears(await said(office, "p", 10, snapshot=snapshot(owner="rita@afterword.test")))
    assert await following.adopt(office.desk, office.db) == 0
    async with office.db.begin() as tx:
        await rota.save(tx.conn, Rota((office.team.ids["mia"],)))
        await tx.conn.execute(
            "update access.users set disabled_at = $2 where id = $1", office.team.ids["rita"], T0
        )
    assert await following.adopt(office.desk, office.db) == 1
    assert await following.adopt(office.desk, office.db) == 0
    assert await office.rows("select owner from tasks") == [(office.team.ids["mia"],)]


@pytest.mark.requirement("R75")
async def test_referrals_are_kept_once_and_add_up_to_their_conversion(office: Office) -> None:
    await office.hears(await said(office, "p", 10), await said(office, "n", 7, contact="bo"))
    ((task_id,), (other,)) = await office.rows("select id from tasks order by kind = 'referral' desc")
    for _ in range(2):
        assert isinstance(await recommends(office, task_id, who="Nordlys AS"), Referral)
    assert isinstance(await recommends(office, task_id, reference="crm-2", state="lead"), Referral)
    office.clock.set(T0 + 3 * DAY)
    won = await recommends(office, task_id, state="won")
    assert isinstance(won, Referral)
    assert (won.sent_at, won.lead_at, won.won_at) == (T0, T0 + 3 * DAY, T0 + 3 * DAY)
    for refused in (
        await recommends(office, task_id, reference=""),
        await recommends(office, task_id, reference="crm-3", at=T0 + 4 * DAY),
        await recommends(office, other),
    ):
        assert isinstance(refused, Refused)
    async with office.db.read() as conn:
        (sums,) = await referrals.sums(conn, None)
        assert await referrals.sums(conn, T0 + DAY) == []
        (kept, _) = await referrals.of_task(conn, task_id)
        lines = [line.did for line in await task_views.said(conn, task_id)]
    assert (sums.sent, sums.leads, sums.won, sums.conversion) == (2, 2, 1, 0.5)
    assert "Nordlys" not in kept.who
    assert kept.who
    assert lines == ["moved", "referred", "referred", "opened"]


@pytest.mark.requirement("R79")
async def test_a_low_support_score_opens_a_training_for_us_beside_the_case(office: Office) -> None:
    loop = CloseTheLoop(unhappy_task="support_training")
    for _ in range(2):
        await office.hears(await office.says.answered("d", 2, T0, close_the_loop=loop))
    found = await office.rows("select kind, mood, state from tasks")
    assert found == [("support_training", "unhappy", "open")]
    assert await office.rows("select count(*)::int from tickets where state = 'open'") == [(1,)]
    happier = await office.says.answered(
        "d", 10, T0 + DAY, model=ResponseAmended, version=2, close_the_loop=loop
    )
    await office.hears(happier)
    assert await office.rows("select kind, state from tasks") == [("support_training", "dropped")]
