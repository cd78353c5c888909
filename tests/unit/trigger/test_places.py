"""The last places of an account's budget are kept for a persona whom coverage still wants (R59, R62)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.trigger.domain import gate
from services.trigger.domain.explain import sentence
from services.trigger.domain.facts import Facts
from services.trigger.domain.keeping import crowded
from services.trigger.domain.lint import check
from services.trigger.domain.model import Ask, Contact, Decision, Plan, PlanState, Reach, identity
from services.trigger.domain.particulars import Reading
from services.trigger.domain.places import Awaited, foreseen, keeps, lacking, may_fall_out
from services.trigger.domain.programme import Edition
from services.trigger.domain.turns import in_turn
from shared.contracts.directory import Consent
from shared.contracts.model import Persona
from shared.contracts.reasons import Outcome, Reason
from tests.support.changed import replace
from tests.unit.trigger.support import (
    ACME,
    ANNA,
    NOW,
    ORGANISATION,
    ask,
    crowd,
    definition,
    edition,
    facts,
    plan,
)

DAY = timedelta(days=1)
BOSS, USER = Persona.DECISION_MAKER, Persona.USER
AUDIENCE = {"who": "account", "coverage": {"decision_maker": 1, "user": 1}}
BUDGET = {"contact": "1d", "account": {"max": 2, "per": "30d"}}
BOTH = edition(when__per="account", audience=AUDIENCE, quarantine=BUDGET)
pytestmark = pytest.mark.requirement("R59", "R62")


def somebody(number: int, persona: Persona | None = USER) -> Contact:
    return replace(ANNA, id=identity("contact", number), persona=persona, account_id=ACME.id)


def planned(who: Contact, due: float = 0, fresh: float = 20, of: Edition = BOTH, **changes: object) -> Plan:
    made = replace(
        plan(of), id=identity("plan", who.id), contact_id=who.id, first_due_at=NOW + due * DAY,
        due_at=NOW + due * DAY, stale_at=NOW + (due + fresh) * DAY,
    )  # fmt: skip
    return replace(made, **changes)


def had(who: Contact, days_ago: float = 1, of: Edition = BOTH) -> Ask:
    number = identity("ask", who.id)
    return ask(0, days_ago, survey_id=number, contact_id=who.id, programme=of.key)


USERS = [somebody(number) for number in range(4)]
HEAD = somebody(9, BOSS)


def known(
    plans: Iterable[Plan], people: Sequence[Contact], asks: Sequence[Ask] = (), now: datetime = NOW
) -> Facts:
    found = facts(now, contacts={one.id: one for one in people}, asks=asks)
    crew = {one.id: one for one in plans}
    found.awaited = {(BOTH.key, ACME.id): crew}
    return found


def decided(
    head: Contact = HEAD,
    *,
    due: float = 5,
    asks: Sequence[Ask] | None = None,
    of: Edition = BOTH,
    **changes: object,
) -> Decision:
    """What becomes of a user who is due now, while a decision maker comes due in some days."""
    mine = planned(USERS[1], of=of)
    theirs = replace(planned(head, due, of=of), **changes)
    everybody = [*USERS, head]
    return gate.decide(mine, of, known([mine, theirs], everybody, [had(USERS[0])] if asks is None else asks))


def test_the_last_place_waits_for_the_decision_maker_who_comes_due_later() -> None:
    found = decided()
    assert (found.outcome, found.reason, found.until) == (Outcome.DEFERRED, Reason.PLACE_KEPT, NOW + 5 * DAY)


def test_a_rep_reads_for_whom_the_place_is_kept_and_when_they_are_due() -> None:
    decision = decided()
    told = sentence(decision, Reading({decision.programme: "Pulse"}))
    assert told == (
        "“Pulse” waits until 8 March 2026, 10:00 UTC, because a place is kept for a decision maker of this "
        "account (due on 8 March 2026, 10:00 UTC; 1 asked within 30 days, at most 2)."
    )


def test_a_user_is_kept_a_place_as_a_decision_maker_is() -> None:
    bosses = [somebody(10 + number, BOSS) for number in range(2)]
    mine, theirs = planned(bosses[1]), planned(USERS[0], 5)
    found = gate.decide(mine, BOTH, known([mine, theirs], [*bosses, *USERS], [had(bosses[0])]))
    assert found.reason is Reason.PLACE_KEPT
    assert "for a user" in sentence(found)


@pytest.mark.parametrize(
    ("head", "changes"),
    [
        pytest.param(replace(HEAD, opted_out_at=NOW), {}, id="opted out"),
        pytest.param(replace(HEAD, erased_at=NOW), {}, id="erased"),
        pytest.param(replace(HEAD, bounced_at=NOW), {}, id="mail came back"),
        pytest.param(replace(HEAD, reach=Reach.NONE), {}, id="no address"),
        pytest.param(replace(HEAD, persona=USER), {}, id="no decision maker"),
        pytest.param(replace(HEAD, persona=None), {}, id="persona unknown"),
        pytest.param(HEAD, {"due": 31}, id="due when the user's own place is free again"),
        pytest.param(HEAD, {"stale_at": NOW + 5 * DAY}, id="waits until the moment is over"),
        pytest.param(HEAD, {"shadow": True}, id="in shadow"),
        pytest.param(HEAD, {"asks": [had(USERS[0]), had(HEAD)]}, id="asked already, budget full"),
    ],
)
def test_no_place_is_kept_for_whom_it_would_be_lost_on(head: Contact, changes: Mapping[str, object]) -> None:
    assert decided(head, **changes).reason is not Reason.PLACE_KEPT  # type: ignore[arg-type] # by name


def test_no_place_is_kept_for_whom_no_consent_is_known_where_it_is_needed() -> None:
    of = edition(when__per="account", audience=AUDIENCE, quarantine=BUDGET, consent="opt_in")
    agreed = [replace(one, consent=Consent.GIVEN) for one in USERS]
    mine = planned(agreed[1], of=of)
    for consent, reason in ((Consent.GIVEN, Reason.PLACE_KEPT), (Consent.UNKNOWN, None)):
        head = replace(HEAD, consent=consent)
        theirs = planned(head, 5, of=of)
        found = gate.decide(mine, of, known([mine, theirs], [*agreed, head], [had(agreed[0])]))
        assert found.reason is reason


def test_whoever_is_in_quarantine_beyond_their_moment_is_not_awaited() -> None:
    of = edition(when__per="account", audience=AUDIENCE, quarantine={**BUDGET, "contact": "20d"})
    other = replace(had(HEAD), programme="other", account_id=None)
    mine = planned(USERS[1], of=of)
    for fresh, reason in ((30, Reason.PLACE_KEPT), (10, None)):
        theirs = planned(HEAD, 5, fresh, of=of)
        looked = known([mine, theirs], [*USERS, HEAD], [had(USERS[0]), other])
        assert gate.decide(mine, of, looked).reason is reason


def test_whoever_is_wanted_is_not_kept_waiting() -> None:
    assert decided(asks=[replace(had(HEAD), programme="other")]).outcome is Outcome.REQUESTED, (
        "no user was asked yet"
    )


def test_as_long_as_there_is_room_for_both_nobody_waits() -> None:
    of = edition(
        when__per="account", audience=AUDIENCE, quarantine={**BUDGET, "account": {"max": 3, "per": "30d"}}
    )
    assert decided(of=of).outcome is Outcome.REQUESTED


def test_a_place_that_is_free_again_by_then_is_enough() -> None:
    assert decided(asks=[had(USERS[0], 26)]).outcome is Outcome.REQUESTED
    assert decided(asks=[had(USERS[0], 24)]).reason is Reason.PLACE_KEPT


def test_where_no_coverage_is_wanted_nothing_changes() -> None:
    of = edition(when__per="account", audience={"who": "account"}, quarantine=BUDGET)
    assert decided(of=of).outcome is Outcome.REQUESTED


def test_an_exempt_programme_waits_for_nobody() -> None:
    of = edition(when__per="account", audience=AUDIENCE, quarantine={**BUDGET, "exempt": True})
    assert decided(of=of).outcome is Outcome.REQUESTED


def test_when_the_moment_is_over_first_the_kept_place_is_the_reason() -> None:
    mine = planned(USERS[1], fresh=3)
    looked = known([mine, planned(HEAD, 5)], [*USERS, HEAD], [had(USERS[0])])
    found = gate.decide(mine, BOTH, looked)
    assert (found.reason, found.until) == (Reason.PLACE_KEPT, mine.stale_at)
    later = replace(looked, now=mine.stale_at)
    over = gate.decide(gate.settled(mine, found), BOTH, later)
    assert (over.outcome, over.reason) == (Outcome.SUPPRESSED, Reason.PLACE_KEPT)


def test_what_is_decided_about_the_awaited_counts_at_once() -> None:
    mine, theirs = planned(USERS[1]), planned(HEAD)
    looked = known([mine, theirs], [*USERS, HEAD], [had(USERS[0])])
    assert gate.decide(mine, BOTH, looked).until == NOW + timedelta(minutes=1), "they are due now"
    looked.decided(replace(theirs, due_at=NOW + DAY))
    assert gate.decide(mine, BOTH, looked).until == NOW + DAY
    looked.decided(replace(theirs, state=PlanState.SUPPRESSED))
    assert gate.decide(mine, BOTH, looked).outcome is Outcome.REQUESTED


def test_only_a_budget_that_is_nearly_used_up_is_looked_at() -> None:
    of = edition(
        when__per="account", audience=AUDIENCE, quarantine={**BUDGET, "account": {"max": 4, "per": "30d"}}
    )
    mine = planned(USERS[1], of=of)
    looked = known([], USERS, [had(USERS[0], of=of)])
    assert not crowded(mine, of, looked, 1)
    assert crowded(mine, of, looked, 2)


def test_those_of_a_coming_round_are_awaited_before_they_are_planned() -> None:
    parent = planned(HEAD, 5, contact_id=None)
    people = [HEAD, somebody(11, None), USERS[0]]
    children = list(foreseen(parent, BOTH, crowd(*people), ORGANISATION))
    assert [one.contact_id for one in children] == [HEAD.id, USERS[0].id]
    assert all(one.state is PlanState.PENDING and one.account_id == ACME.id for one in children)


def test_a_change_of_somebodys_standing_is_a_reason_to_look_again() -> None:
    assert may_fall_out(HEAD, replace(HEAD, persona=USER))
    assert may_fall_out(HEAD, replace(HEAD, opted_out_at=NOW))
    assert not may_fall_out(HEAD, replace(HEAD, zone="Asia/Tokyo"))
    assert not may_fall_out(replace(HEAD, persona=None), HEAD), "nobody waits for whom nobody knew"


def test_check_says_when_a_budget_is_too_small_for_both() -> None:
    for most, found in ((1, 1), (2, 0)):
        budget = {**BUDGET, "account": {"max": most, "per": "30d"}}
        text = yaml.safe_dump(definition(when__per="account", audience=AUDIENCE, quarantine=budget))
        said = [one for one in check([("pulse.yaml", text)], ("en",)).findings if "budget" in one.reason]
        assert len(said) == found
        assert all(
            "coverage wants 2 people" in one.reason and "has 1 within 30d" in one.reason for one in said
        )


_ENDS = st.lists(st.integers(1, 60), max_size=6)
_PEOPLE = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([BOSS, USER])), max_size=6)


@given(_PEOPLE, _ENDS, st.integers(1, 8), st.integers(0, 2), st.integers(0, 2))
def test_whoever_passes_leaves_a_place_for_all_who_are_wanted(
    people: list[tuple[int, Persona]], ends: list[int], most: int, bosses: int, users: int
) -> None:
    """Law: when nothing is kept, those who are wanted find places one after the other; else the first not."""
    awaited = [Awaited(NOW + due * DAY, UUID(int=n), who) for n, (due, who) in enumerate(people)]
    own = NOW + 30 * DAY
    taken = [*(NOW + day * DAY for day in ends if day <= 30), own]
    lacks = {persona: number for persona, number in ((BOSS, bosses), (USER, users)) if number}
    kept = keeps(lacks, awaited, taken, most)
    served: list[datetime] = []
    for one in sorted(awaited, key=lambda a: (a.due_at, a.contact_id)):
        if lacks.get(one.persona, 0) <= 0 or one.due_at >= own:
            continue
        if kept == one:
            assert sum(end > one.due_at for end in taken) + len(served) >= most
            return
        assert sum(end > one.due_at for end in taken) + len(served) < most
        served.append(one.due_at)
        lacks[one.persona] -= 1
    assert kept is None


@given(st.lists(st.sampled_from([BOSS, USER, None]), max_size=6))
def test_lacking_and_asked_add_up_to_what_is_wanted(personas: list[Persona | None]) -> None:
    people = [somebody(number, persona) for number, persona in enumerate(personas)]
    still = lacking({BOSS: 2, USER: 1}, people)
    assert still.get(BOSS, 0) == max(0, 2 - personas.count(BOSS))
    assert still.get(USER, 0) == max(0, 1 - personas.count(USER))


@given(
    st.lists(st.tuples(st.integers(0, 25), st.booleans(), st.integers(1, 30)), min_size=1, max_size=7),
    st.integers(1, 4),
)
def test_a_budget_is_never_exceeded_and_a_decision_maker_in_time_is_asked(
    folk: list[tuple[int, bool, int]], most: int
) -> None:
    """A life of one account: everybody comes due on a day of their own and is fresh for some days."""
    of = edition(
        when__per="account",
        audience=AUDIENCE,
        quarantine={"contact": "1d", "account": {"max": most, "per": "30d"}},
    )
    people = [somebody(number, BOSS if boss else USER) for number, (_, boss, _) in enumerate(folk)]
    plans = {
        one.id: one
        for one in (
            planned(who, due, min(fresh, 29 - due), of=of)  # so that no place is free again
            for who, (due, _, fresh) in zip(people, folk, strict=True)
        )
    }
    asks: list[Ask] = []
    for _ in range(400):
        pending = [one for one in plans.values() if one.state is PlanState.PENDING]
        if not pending:
            break
        now = min(one.due_at for one in pending)
        looked = known(pending, people, asks, now)
        for one in in_turn([one for one in pending if one.due_at <= now], lambda _: of, looked):
            found = gate.decide(one, of, looked)
            after = plans[one.id] = gate.settled(one, found)
            assert after.state is not PlanState.PENDING or after.due_at > now, (
                "it would be looked at for ever"
            )
            assert one.contact_id is not None
            if found.outcome is Outcome.REQUESTED:
                asks.append(
                    replace(
                        ask(0), survey_id=one.id, programme=of.key, contact_id=one.contact_id, asked_at=now
                    )
                )
                looked.asks.add(asks[-1])
            looked.decided(after)
    assert all(one.state is not PlanState.PENDING for one in plans.values())
    assert len(asks) <= most
    if len(asks) < most:
        assert len(asks) == len(folk), "a place that nobody takes is given back"
    bosses = {one.id for one in people if one.persona is BOSS}
    users = {one.id for one in people if one.persona is USER}
    if most > 1 and bosses and users:
        heard = {one.contact_id for one in asks}
        assert heard & bosses
        assert heard & users
