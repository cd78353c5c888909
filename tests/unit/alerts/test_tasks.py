"""Which tasks answers ask for, when none opens, and how tasks and referrals end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain import referrals, tasks
from services.alerts.domain.matching import Match
from services.alerts.domain.model import Answer, Owner, Refused, Standing
from services.alerts.domain.referrals import Referral, ReferralState, Sums, total
from services.alerts.domain.task_kinds import BUILT_IN, After, Per, TaskKind, TaskRule, kind_of
from services.alerts.domain.tasks import FRESH_FOR, Change, Spoken, Task, TaskState, Why
from services.alerts.domain.teams import read_roster
from shared.contracts.model import Tier
from shared.contracts.responses import Mood
from shared.contracts.touchpoints import CASE_RESOLVED
from shared.runtime.ids import derive
from tests.support.alerts import REP, T0, answer, snapshot

RITA, OLA = derive("user", "rita"), derive("user", "ola")
DAY = timedelta(days=1)
REFERRAL = BUILT_IN["referral"]


def happy(**more: Any) -> Answer:
    return answer(**{"score": 10, "task": "referral", "person": "sealed", **more})


def passive(**more: Any) -> Answer:
    return answer(**{"score": 7, "mood": Mood.PASSIVE, "task": "improvement", "person": "sealed", **more})


def opened(kind: TaskKind = REFERRAL, one: Answer | None = None) -> Task:
    one = one or happy()
    return tasks.open_(derive("task", kind.key), kind, one, tasks.subject_of(kind, one), REP, T0).task


def changed(step: Change | Refused) -> Task:
    assert isinstance(step, Change)
    return step.task


@pytest.mark.requirement("R73", "R74")
@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(happy(), ["referral"], id="promoter"),
        pytest.param(passive(), ["improvement"], id="passive"),
        pytest.param(passive(task=""), [], id="the programme names none"),
        pytest.param(answer(task="", person="sealed"), [], id="unhappy"),
        pytest.param(answer(task="support_training"), ["support_training"], id="unhappy with a task"),
        pytest.param(happy(standing=Standing.HELD), [], id="held as a machine's"),
        pytest.param(happy(standing=Standing.WITHDRAWN), [], id="taken back"),
        pytest.param(
            happy(snapshot=snapshot(touchpoint=CASE_RESOLVED, context={"case": str(derive("ticket", 1))})),
            [],
            id="a yes, it is fixed",
        ),
        pytest.param(happy(task="box_of_wine"), ["box_of_wine"], id="a name of one's own"),
    ],
)
def test_an_answer_asks_for_the_task_that_its_programme_names(one: Answer, expected: list[str]) -> None:
    assert [kind.key for kind in tasks.wanted(one, {})] == expected


@pytest.mark.requirement("R73", "R74")
def test_the_policy_adds_tasks_of_a_mood_and_changes_what_a_name_means() -> None:
    policy = read_roster(
        """
tasks:
  quarterly_follow_up: {after: passive, due_days: 80}
  case_study: {after: happy, when: {tier: [key]}}
  referral: {title: Tell them of the club, again_after_days: 30}
"""
    ).value
    assert policy is not None
    rules = policy.tasks
    assert [kind.key for kind in tasks.wanted(passive(), rules)] == ["improvement", "quarterly_follow_up"]
    assert [kind.key for kind in tasks.wanted(happy(), rules)] == ["referral", "case_study"]
    small = happy(snapshot=snapshot(tier=Tier.SMALL))
    assert [kind.key for kind in tasks.wanted(small, rules)] == ["referral"]
    named = kind_of("referral", rules)
    assert (named.title, named.spacing, named.due) == ("Tell them of the club", 30 * DAY, REFERRAL.due)
    assert named.referrals
    assert kind_of("quarterly_follow_up", rules).due == 80 * DAY


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("tasks: {referral: {due_days: 0}}", "tasks.referral.due_days"),
        ("tasks: {referral: {after: angry}}", "tasks.referral.after"),
        ("tasks: {Referral: {}}", "tasks"),
        ("tasks: {referral: {dew_days: 3}}", "tasks.referral.dew_days"),
    ],
)
def test_a_mistake_in_the_policy_is_named_with_its_place(text: str, place: str) -> None:
    checked = read_roster(text)
    assert checked.value is None
    assert any(complaint.path.startswith(place) for complaint in checked.complaints)


@pytest.mark.requirement("R73", "R74")
def test_one_task_of_a_kind_is_open_and_none_comes_back_too_soon() -> None:
    one = happy()
    before = opened()
    done = changed(tasks.finish(before, REFERRAL, RITA, T0, "", agreed=False))

    def why(at: datetime, last: Task | None, now: datetime | None = None, **more: Any) -> Why | None:
        later = replace(one, received_at=at, **more)
        return tasks.hindrance(REFERRAL, later, last, now or at, erased=False)

    assert why(T0, None) is None
    assert why(T0 + 900 * DAY, before) is Why.OPEN
    assert why(T0 + REFERRAL.spacing - timedelta(seconds=1), done) is Why.LATELY
    assert why(T0 + REFERRAL.spacing, done) is None
    assert why(T0, None, T0 + FRESH_FOR) is None
    assert why(T0, None, T0 + FRESH_FOR + timedelta(seconds=1)) is Why.EXPIRED
    assert why(T0, None, person="") is Why.NOBODY
    assert tasks.hindrance(REFERRAL, one, None, T0, erased=True) is Why.ERASED


def test_a_task_is_about_the_account_or_the_person() -> None:
    one = happy()
    about = replace(REFERRAL, per=Per.ACCOUNT)
    assert tasks.subject_of(REFERRAL, one) == one.contact_id
    assert tasks.subject_of(about, one) == one.account_id
    assert tasks.subject_of(about, replace(one, account_id=None)) == one.contact_id


@pytest.mark.requirement("R74")
def test_what_is_published_needs_their_consent_in_writing() -> None:
    kind = BUILT_IN["testimonial"]
    task = opened(kind)
    for agreed, note in ((False, "She said yes."), (True, " ")):
        assert isinstance(tasks.finish(task, kind, RITA, T0, note, agreed=agreed), Refused)
    done = changed(tasks.finish(task, kind, RITA, T0 + DAY, "By mail, first name only.", agreed=True))
    assert (done.state, done.consented_at) == (TaskState.DONE, T0 + DAY)
    assert changed(tasks.reopen(done, RITA, T0 + DAY)).consented_at is None


@pytest.mark.requirement("R74", "R84")
@pytest.mark.parametrize(("key", "enough"), [("testimonial", True), ("case_study", False)])
def test_an_answer_that_may_be_quoted_is_consent_to_a_quote_and_to_nothing_more(
    key: str, *, enough: bool
) -> None:
    kind = BUILT_IN[key]
    task = opened(kind, happy(quotable=True))
    done = tasks.finish(task, kind, RITA, T0, "", agreed=False)
    assert isinstance(done, Change) is enough
    assert changed(tasks.finish(task, kind, RITA, T0, "By mail.", agreed=True)).consented_at == T0


@pytest.mark.requirement("R74", "R84")
def test_what_rested_on_the_answers_consent_is_open_again_when_it_is_taken_back() -> None:
    kind = BUILT_IN["testimonial"]
    task = opened(kind, happy(quotable=True))
    done = changed(tasks.finish(task, kind, RITA, T0, "", agreed=False))
    back = tasks.quoting(done, kind, T0 + DAY, quotable=False, busy=False)
    assert (back.task.state, back.task.quotable, back.task.ended_at) == (TaskState.OPEN, False, None)
    assert tasks.quoting(done, kind, T0 + DAY, quotable=False, busy=True).task.state is TaskState.DONE
    written = changed(tasks.finish(task, kind, RITA, T0, "By mail.", agreed=True))
    kept = tasks.quoting(written, kind, T0 + DAY, quotable=False, busy=False)
    assert (kept.task.state, kept.task.quotable) == (TaskState.DONE, False)
    assert kept.line is not None
    assert tasks.quoting(back.task, kind, T0 + DAY, quotable=False, busy=False) == Change(back.task)


@pytest.mark.requirement("R74", "R84")
def test_who_says_so_takes_back_a_quote_and_no_case_study() -> None:
    told = Spoken(RITA, "On the phone.")
    for key, state in (("testimonial", TaskState.OPEN), ("case_study", TaskState.DONE)):
        kind = BUILT_IN[key]
        done = changed(
            tasks.finish(opened(kind, happy(quotable=True)), kind, RITA, T0, "By mail.", agreed=True)
        )
        back = tasks.quoting(done, kind, T0 + DAY, quotable=False, busy=False, spoken=told)
        assert (back.task.state, back.task.quotable) == (state, False)
        assert back.line is not None
        assert (back.line.by, back.line.note) == (RITA, "On the phone.")


@pytest.mark.requirement("R73", "R74")
def test_an_answer_that_no_longer_counts_ends_a_task_that_nobody_has_begun() -> None:
    task, worse = opened(), happy(mood=Mood.PASSIVE)
    dropped = tasks.unfounded(task, worse, T0 + DAY)
    assert (dropped.task.state, dropped.task.ended_at) == (TaskState.DROPPED, T0 + DAY)
    assert tasks.revive(dropped.task, T0 + DAY).task.is_open
    begun = changed(tasks.write(task, RITA, T0, "Called, she thinks about it."))
    doubted = tasks.unfounded(begun, worse, T0 + DAY)
    assert doubted.task.is_open
    assert doubted.line is not None


def test_ended_tasks_take_no_work_and_repetitions_change_nothing() -> None:
    task = opened()
    assert isinstance(tasks.decline(task, RITA, T0, ""), Refused)
    declined = changed(tasks.decline(task, RITA, T0, "They never give references."))
    assert tasks.decline(declined, RITA, T0, "") == Change(declined)
    assert isinstance(tasks.finish(declined, REFERRAL, RITA, T0, "", agreed=False), Refused)
    assert isinstance(tasks.assign(declined, RITA, T0, OLA), Refused)
    again = changed(tasks.reopen(declined, RITA, T0))
    assert again.is_open
    assert tasks.reopen(again, RITA, T0) == Change(again)
    given_to = changed(tasks.assign(again, RITA, T0, OLA))
    assert given_to.owner == Owner(OLA, "was given the task")
    assert tasks.assign(given_to, RITA, T0, OLA) == Change(given_to)
    assert given_to.version > again.version > declined.version > task.version


def sent() -> Referral:
    ids = (derive("referral", 1), derive("task", 1), derive("contact", "ana"))
    return Referral(*ids, "renewal-nps", "crm-7", ReferralState.SENT, T0)


@pytest.mark.requirement("R75")
@given(st.lists(st.tuples(st.sampled_from(ReferralState), st.integers(-2, 40)), max_size=8))
def test_whatever_is_pressed_the_dates_of_a_referral_stay_in_order(
    steps: list[tuple[ReferralState, int]],
) -> None:
    one, now = sent(), T0 + 30 * DAY
    for state, day in steps:
        moved = referrals.move(one, state, T0 + day * DAY, now)
        one = one if isinstance(moved, Refused) else moved
        assert (one.won_at is not None) == (one.state is ReferralState.WON)
        assert (one.lost_at is not None) == (one.state is ReferralState.LOST)
        dates = [at for at in (one.sent_at, one.lead_at, one.won_at) if at is not None]
        assert dates == sorted(dates)
        assert max(dates) <= now


@pytest.mark.requirement("R75")
def test_who_was_won_was_a_lead_and_a_wrong_button_can_be_taken_back() -> None:
    won = referrals.move(sent(), ReferralState.WON, T0 + DAY, T0 + DAY)
    assert isinstance(won, Referral)
    assert won.lead_at == won.won_at == T0 + DAY
    assert isinstance(referrals.move(sent(), ReferralState.LEAD, T0 + 2 * DAY, T0 + DAY), Refused)
    assert isinstance(referrals.move(sent(), ReferralState.LEAD, T0 - DAY, T0 + DAY), Refused)
    assert referrals.move(won, ReferralState.SENT, T0, T0 + DAY) == sent()


@pytest.mark.requirement("R75")
def test_shares_are_of_all_that_were_sent_and_none_of_none() -> None:
    both = total((Sums("a", 3, 2, 1), Sums("b", 1, 0, 0)))
    assert (both.sent, both.leads, both.won) == (4, 2, 1)
    assert (both.lead_share, both.conversion) == (0.5, 0.25)
    assert total(()).conversion is None


def test_every_kind_that_is_built_in_says_what_to_do() -> None:
    for kind in BUILT_IN.values():
        assert kind.title
        assert kind.title[0].isupper()
        assert kind.due > timedelta()
        assert kind_of(kind.key, {kind.key: TaskRule()}) == kind
    rule = TaskRule(after=After.HAPPY, when=Match(programme=("renewal-nps",)), consent=True)
    assert kind_of("referral", {"referral": rule}).consent
