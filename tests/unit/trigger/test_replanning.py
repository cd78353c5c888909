"""Plans of an old edition under a changed programme."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.trigger.domain.model import Moment, PlanState
from services.trigger.domain.programme import Edition
from services.trigger.domain.replanning import Waiting, outcome_of, replan
from shared.contracts.model import Persona, Tier
from shared.contracts.reasons import Reason
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ORGANISATION, edition, plan

OLD = edition()


def replanned(new: Edition, old: Edition = OLD, **waiting: Any) -> tuple[str, Any]:
    known = {"contact": ANNA, "account": ACME, **waiting}
    of = known.pop("plan", plan(old))
    fresh, decision = replan(Waiting(of, **known), old, new, ORGANISATION, NOW)
    assert (fresh.state is PlanState.PENDING) is (fresh.version == new.version and fresh.reason is None)
    assert fresh.id == of.id
    return outcome_of(decision), fresh


def test_a_text_that_changed_moves_nothing() -> None:
    named, fresh = replanned(edition(letter__intro={"en": "Dear all"}, priority=70))
    assert (named, fresh.priority, fresh.first_due_at) == ("kept", 70, NOW)


def test_another_delay_moves_the_plan_and_it_waits_for_nothing_any_more() -> None:
    waiting = replace(plan(OLD), waits_for=Reason.QUARANTINED, due_at=NOW + timedelta(days=2))
    named, fresh = replanned(edition(when__delay="6h"), plan=waiting)
    assert (named, fresh.due_at, fresh.waits_for) == ("moved", NOW + timedelta(hours=4), None)
    assert fresh.stale_at == fresh.due_at + timedelta(days=3)


@pytest.mark.parametrize(("fresh_for", "named"), [("1h", "kept"), ("0h", "expired")])
def test_a_moment_that_is_over_by_the_new_rules_is_over(fresh_for: str, named: str) -> None:
    assert replanned(edition(when__fresh_for=fresh_for))[0] == named


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"when__touchpoint": "order.shipped"}, "superseded"),
        ({"when__touchpoint": ["order.shipped", "order.delivered"]}, "kept"),
        ({"when__per": "contact"}, "superseded"),
        ({"audience": {"who": "account"}}, "superseded"),
        ({"audience": {"persona": ["decision_maker"]}}, "not_in_audience"),
        ({"audience": {"persona": ["user"]}}, "kept"),
        ({"audience": {"tier": ["key"]}}, "not_in_audience"),
        ({"audience": {"sample": 0.000001}}, "sampled_out"),
        ({"when__where": {"boxes": {"gte": 5}}}, "kept"),
        ({"when__where": {"boxes": {"gt": 5}}}, "filtered"),
        ({"when__where": {"express": True}}, "kept"),
        ({"when__where": {"express": False}}, "filtered"),
        ({"when__where": {"carrier": "north"}}, "kept"),
        ({"when__where": {"carrier": "south"}}, "filtered"),
        ({"when__where": {"never_told": 1}}, "filtered"),
    ],
)
def test_whoever_the_new_rules_do_not_mean_is_not_asked(changes: dict[str, Any], named: str) -> None:
    context = {"boxes": "5", "express": "True", "carrier": "north"}
    told = replace(plan(OLD).moment, context=context)
    waiting: dict[str, Any] = {
        "contact": replace(ANNA, persona=Persona.USER),
        "account": replace(ACME, tier=Tier.SMALL),
    }
    assert replanned(edition(**changes), plan=replace(plan(OLD), moment=told), **waiting)[0] == named


def test_a_rule_that_stayed_is_not_asked_again() -> None:
    """What an event said beyond what a plan remembers cannot be told any more."""
    old = edition(when__where={"forgotten": 1})
    assert replanned(edition(when__where={"forgotten": 1}, priority=9), old)[0] == "kept"


@pytest.mark.parametrize(
    ("role", "named"), [("receiver", "kept"), ("", "kept"), ("payer", "not_in_audience")]
)
def test_a_role_counts_as_far_as_it_is_known(role: str, named: str) -> None:
    assert replanned(edition(audience={"role": ["receiver"]}), role=role)[0] == named


def test_the_next_of_a_series_follows_the_new_rhythm() -> None:
    old, new = (
        edition(
            when={"every": every, "anchor": "account.start", "per": "account", "fresh_for": "20d"},
            audience={"who": "account"},
        )
        for every in ("3mo", "6mo")
    )
    start = NOW - timedelta(days=100)
    waiting = replace(
        plan(old), contact_id=None, moment=Moment(touchpoint="account.start", at=start, period=2)
    )
    named, fresh = replanned(new, old, plan=waiting, contact=None)
    assert named == "moved"
    assert NOW < fresh.due_at < start + timedelta(days=185)
    one = replace(plan(old), moment=waiting.moment)
    assert replanned(new, old, plan=one)[0] == "superseded", "a person of a period that is no more"
