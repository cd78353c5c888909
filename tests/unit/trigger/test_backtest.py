"""The backtest without a database: reading histories, counting, and what the report says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.cli.backtest_run import interval
from services.trigger.domain.backtest.counting import Ran, counted
from services.trigger.domain.backtest.people import People
from services.trigger.domain.backtest.report import Assumptions, Outcome
from services.trigger.domain.backtest.simulation import Simulation
from services.trigger.domain.backtest.summing import differences, spans, sum_up
from services.trigger.domain.backtest.tally import Tally
from services.trigger.domain.model import PlanState
from services.trigger.domain.programme import Edition, edition_of
from services.trigger.sources.history import History
from services.trigger.sources.lines import Happening
from shared.contracts.forms import QuestionType
from shared.contracts.reasons import Reason
from tests.support.changed import replace
from tests.support.histories import BEGINS, DAYS, PROGRAMMES, history
from tests.support.histories import cloud_event as told_by_backend
from tests.unit.trigger.support import ORGANISATION, definition, edition

ENDS = BEGINS + timedelta(days=DAYS + 5)
ASSUMED = Assumptions(zone="Europe/Stockholm", capacity=1)
OURS = replace(ORGANISATION, own_domains=("nordlicht.example",))
ALL = [edition_of(definition(**changes)) for changes in PROGRAMMES]


def cloud_event(at: datetime = BEGINS, number: int = 1, **data: Any) -> dict[str, Any]:
    about = {"contact": {"id": "c1", "email": "anna@kund.example"}, "account": {"id": "a1", "tier": "key"}}
    subject = {"subject": {"kind": "order", "id": f"o{number}"}}
    told = {"occurred_at": at.isoformat(), **about, **subject, **data}
    return {
        "specversion": "1.0", "id": f"e{number}", "source": "/crm", "type": "order.delivered", "data": told,
    }  # fmt: skip


def read(tmp_path: Path, lines: Iterable[object]) -> tuple[History, list[Happening]]:
    file = tmp_path / "history.ndjson"
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    found = History(file)
    found.walk()
    return found, list(found.happenings())


def of_seed(seed: int) -> list[dict[str, Any]]:
    return [told_by_backend(told) for told in history(seed)]


def ran(
    events: Sequence[Happening],
    editions: Sequence[Edition] = ALL,
    begins: datetime = BEGINS,
    ends: datetime = ENDS,
) -> Ran:
    people = People()
    tally = Tally(ZoneInfo("Europe/Stockholm"), people.accounts, people.contacts, begins, ends)
    simulation = Simulation(editions, OURS, tally.note, people)
    for one in events:
        simulation.happen(one.type, one.source, one.id, one.told, one.at)
    simulation.until(ends)
    plans = simulation.diary.book.plans.values()
    return Ran("here", tally, people, plans, simulation.unmatched)


def outcome(events: Sequence[Happening], *editions: Edition, **window: datetime) -> Outcome:
    chosen = editions or ALL
    return sum_up(counted(ran(events, chosen, **window)), chosen, ASSUMED, interval)


# --- reading ------------------------------------------------------------------------------------------


def test_events_come_in_order_of_time_whatever_the_order_of_the_lines(tmp_path: Path) -> None:
    days = [3, 1, 2, 1]
    lines = [cloud_event(BEGINS + timedelta(days=day), n) for n, day in enumerate(days)]
    found, events = read(tmp_path, lines)
    assert [one.id for one in events] == ["e1", "e3", "e2", "e0"]
    assert [one.line for one in events] == [2, 4, 3, 1]
    assert not found.ordered
    assert (found.begins, found.ends) == (BEGINS + timedelta(days=1), BEGINS + timedelta(days=3))


def test_a_shuffled_history_ends_in_the_same_report(tmp_path: Path) -> None:
    lines = of_seed(3)
    # Of events at one instant the file's order counts: they stay in theirs.
    head, tail = lines[:12], lines[12:]
    _, straight = read(tmp_path, lines)
    _, mixed = read(tmp_path, [*tail[::-1], *head])
    assert outcome(straight) == outcome(mixed)


KCAT_HEADERS = ("ce_specversion", "1.0", "ce_id", "k1", "ce_source", "/shop", "ce_type", "order.delivered")
KCAT = {
    "topic": "afterword.touchpoints", "partition": 0, "offset": 7, "key": "k",
    "headers": list(KCAT_HEADERS),
    "payload": json.dumps(cloud_event()["data"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (cloud_event(), ("order.delivered", "/crm", "e1")),
        (KCAT, ("order.delivered", "/shop", "k1")),
        (
            {**KCAT, "headers": dict(zip(KCAT_HEADERS[::2], KCAT_HEADERS[1::2], strict=True))},
            ("order.delivered", "/shop", "k1"),
        ),
        (
            {
                "headers": [{"key": "content-type", "value": "application/cloudevents+json"}],
                "value": cloud_event(),
            },
            ("order.delivered", "/crm", "e1"),
        ),
        (
            {"type": "order.delivered", "occurred_at": "2026-01-05T09:00:00Z", "id": "row", "contact": "c1"},
            ("order.delivered", "/import", "events/row"),
        ),
        (
            {"type": "x.y", "occurred_at": "2026-01-05T09:00:00", "id": "row", "data": {"product": "Press"}},
            ("x.y", "/import", "events/row"),
        ),
        (
            {"type": "x.y", "id": "row", "data": {"occurred_at": "2026-01-05T09:00:00Z", "product": "Press"}},
            ("x.y", "/import", "events/row"),
        ),
        ("\ufeff" + json.dumps(cloud_event()), ("order.delivered", "/crm", "e1")),
    ],
    ids=[
        "cloudevent",
        "kcat",
        "headers as a mapping",
        "structured record",
        "row",
        "row with data",
        "row whose data say when",
        "BOM",
    ],
)
def test_each_way_of_writing_an_event_is_read(
    tmp_path: Path, line: object, expected: tuple[str, str, str]
) -> None:
    found, (event,) = read(tmp_path, [line])
    assert (event.type, event.source, event.id) == expected
    assert event.at == BEGINS
    assert found.problems == []


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ("{", "", "not readable as JSON"),
        ("[1]", "", "must be a JSON object"),
        ({**cloud_event(), "id": ""}, "id", "missing"),
        ({**cloud_event(), "data": {"product": "x"}}, "data", "occurred_at"),
        ({**cloud_event(), "data": {"occurred_at": "2026-01-05T09:00:00Z"}}, "data", "at least one of"),
        ({"type": "Delivered", "occurred_at": "2026-01-05T09:00:00Z"}, "type", "lower-case"),
        ({"type": "order.delivered"}, "occurred_at", "missing"),
        ({**KCAT, "payload": "nonsense"}, "data", "Invalid JSON"),
        ({**KCAT, "headers": 7}, "headers", "must be an object or a list"),
        (
            {"type": "x.y", "occurred_at": "2026-01-05T09:00:00Z", "data": {"contact": {"ref": "r"}}},
            "contact",
            "ref",
        ),
    ],
)
def test_a_broken_line_is_named_and_stops_nothing(
    tmp_path: Path, line: object, field: str, reason: str
) -> None:
    found, events = read(tmp_path, [cloud_event(number=1), "", line, cloud_event(number=2)])
    assert [one.id for one in events] == ["e1", "e2"]
    (problem,) = found.problems
    assert (problem.line, problem.field) == (3, field)
    assert reason in problem.reason


def test_repeats_other_topics_and_tombstones_are_counted_and_passed_over(tmp_path: Path) -> None:
    other = {**KCAT, "topic": "afterword.surveys"}
    tombstone = {**KCAT, "payload": None}
    found, events = read(tmp_path, [cloud_event(), cloud_event(), KCAT, other, tombstone])
    assert len(events) == 2
    assert (found.repeated, found.passed_over, found.problems) == (1, 2, [])


def test_an_empty_file_has_no_events(tmp_path: Path) -> None:
    found, events = read(tmp_path, [])
    assert (found.begins, found.ends, events) == (None, None, [])


# --- deciding -----------------------------------------------------------------------------------------


def test_whoever_is_sealed_is_taken_to_be_reachable(tmp_path: Path) -> None:
    contact = {"ref": "11111111-2222-3333-4444-555555555555", "sealed": "xyz"}
    _, events = read(tmp_path, [cloud_event(contact=contact)])
    assert len(ran(events, [edition()]).people.sealed) == 1
    assert outcome(events, edition()).invited == 1


def test_seeded_histories_meet_every_rule(tmp_path: Path) -> None:
    """The law of the backtest, in the integration tests, is worth as much as its histories."""
    met: set[Reason] = set()
    for seed in range(6):
        _, events = read(tmp_path, of_seed(seed))
        met |= {reason for _, _, reason, _ in ran(events).tally.decided if reason}
    assert met >= {
        Reason.HELD, Reason.QUARANTINED, Reason.ACCOUNT_BUDGET, Reason.OUTRANKED, Reason.SAMPLED_OUT,
        Reason.SEND_WINDOW, Reason.SUPERSEDED, Reason.CANCELLED, Reason.MERGED, Reason.NO_CONSENT,
        Reason.OPTED_OUT, Reason.OWN_COMPANY, Reason.ERASED, Reason.SHADOW, Reason.FILTERED,
        Reason.NOT_IN_AUDIENCE, Reason.DUPLICATE, Reason.BEST_MOMENT,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_every_plan_is_accounted_for(tmp_path: Path, seed: int) -> None:
    _, events = read(tmp_path, of_seed(seed))
    one = ran(events)
    found = sum_up(counted(one), ALL, ASSUMED, interval)
    by_state = Counter(p.state for p in one.plans if p.state is not PlanState.EXPANDED and not p.shadow)
    assert found.planned == found.invited + found.not_asked + found.still_waiting
    assert found.invited == by_state[PlanState.REQUESTED] == sum(day.invitations for day in found.days)
    assert found.still_waiting == by_state[PlanState.PENDING]
    assert found.invited == sum(len(times) for times in one.tally.of_contact.values())


def test_the_same_history_gives_the_same_report(tmp_path: Path) -> None:
    _, events = read(tmp_path, of_seed(1))
    assert outcome(events) == outcome(events)


# --- counting -----------------------------------------------------------------------------------------


def deliveries(tmp_path: Path, days: Sequence[int]) -> list[Happening]:
    lines = [cloud_event(BEGINS + timedelta(days=day), n) for n, day in enumerate(days)]
    return read(tmp_path, lines)[1]


def test_what_lies_before_the_counted_time_only_prepares_the_ground(tmp_path: Path) -> None:
    events = deliveries(tmp_path, [0, 10, 20])
    later = BEGINS + timedelta(days=9)
    whole = outcome(events, edition(), ends=BEGINS + timedelta(days=40))
    part = outcome(events, edition(), begins=later, ends=BEGINS + timedelta(days=40))
    assert [whole.invited, part.invited] == [2, 1], "the first of them still keeps the second waiting"
    assert part.days[0].day == later.date()
    assert [reason.reason for reason in part.reasons] == [Reason.QUARANTINED]


def test_a_day_without_invitations_is_a_day_too(tmp_path: Path) -> None:
    found = outcome(deliveries(tmp_path, [0, 20]), edition(), ends=BEGINS + timedelta(days=29, hours=1))
    assert [day.invitations for day in found.days].count(1) == 2
    assert len(found.days) == 30
    assert found.tickets.days == 30


@pytest.mark.parametrize(("last", "drawn"), [(69, [1] * 70), (70, [7] * 10 + [1])])
def test_days_are_drawn_one_by_one_until_they_are_too_many(
    last: int, drawn: list[int], tmp_path: Path
) -> None:
    found = outcome(deliveries(tmp_path, [0]), edition(), ends=BEGINS + timedelta(days=last))
    assert [len(days) for days in spans(found.days)] == drawn


def test_tickets_are_those_of_the_assumed_shares_against_the_capacity(tmp_path: Path) -> None:
    people = [{"id": f"c{n}", "email": f"p{n}@kund.example"} for n in range(40)]
    _, events = read(tmp_path, [cloud_event(number=n, contact=who) for n, who in enumerate(people)])
    found = outcome(events, edition())
    assert found.tickets.expected == pytest.approx(40 * 0.25 * 0.15)
    assert found.tickets.busiest_day == BEGINS.date()
    assert found.tickets.days_over_capacity == 1
    silent = outcome(events, edition(close_the_loop={"unhappy": {"ticket": False}}))
    assert (silent.tickets.expected, silent.tickets.busiest_day) == (0, None)


def test_load_says_how_often_and_whom_most(tmp_path: Path) -> None:
    found = outcome(deliveries(tmp_path, [0, 20, 40, 100]), edition())
    (heaviest,) = found.people.heaviest
    assert (heaviest.name, heaviest.account, heaviest.invitations) == ("c1", "a1", 4)
    assert heaviest.within_30_days == 2
    assert {b.invitations: b.count for b in found.people.distribution if b.count} == {"4": 1}
    assert {b.invitations: b.count for b in found.accounts.distribution if b.count} == {"2–4": 1}


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_asked_who_is_not_among_the_known_and_whoever_was_merged_is_one(
    seed: int, tmp_path: Path
) -> None:
    found = outcome(read(tmp_path, of_seed(seed))[1])
    assert found.people.asked <= found.people.known
    assert sum(bucket.count for bucket in found.people.distribution) == found.people.known


def test_somebody_without_an_id_is_shown_without_their_address(tmp_path: Path) -> None:
    _, events = read(tmp_path, [cloud_event(contact={"email": "anna@kund.example"})])
    assert [one.name for one in outcome(events, edition()).people.heaviest] == ["a…@kund.example"]


def width(found: tuple[float, float] | None) -> float:
    return found[1] - found[0] if found else 0


def test_precision_is_that_of_the_scores(tmp_path: Path) -> None:
    found = outcome(deliveries(tmp_path, range(0, 150, 15)), edition())
    whole = found.precision[0]
    assert (whole.cut, whole.value) == (None, "")
    assert (whole.invitations, whole.answers, whole.metric) == (10, 2, QuestionType.CSAT)
    assert whole.low is not None
    assert whole.margin is not None
    assert 0 <= whole.low < 100
    few, many = (width(interval(QuestionType.NPS, n, ASSUMED)) for n in (20, 2000))
    assert few > 5 * many > 0
    assert interval(QuestionType.NPS, 0, ASSUMED) is None


def test_precision_is_told_for_each_tier_persona_owner_and_region(tmp_path: Path) -> None:
    north = {"id": "a1", "tier": "key", "owner": "rita", "region": "north"}
    south = {"id": "a2", "tier": "premium", "owner": "rita"}
    boss = {"id": "c1", "email": "anna@kund.example", "persona": "decision_maker"}
    user = {"id": "c2", "email": "bo@kund.example", "persona": "user"}
    unknown = {"id": "c3", "email": "cy@kund.example"}
    told = [(north, boss), (south, user), (south, unknown)]
    lines = [cloud_event(number=n, account=a, contact=c) for n, (a, c) in enumerate(told)]
    found = outcome(read(tmp_path, lines)[1], edition())
    assert [(one.cut, one.value, one.invitations) for one in found.precision] == [
        (None, "", 3), ("tier", "premium", 2), ("tier", "key", 1), ("persona", "decision_maker", 1),
        ("persona", "user", 1), ("owner", "rita", 3), ("region", "north", 1),
    ]  # fmt: skip


def test_two_sets_differ_where_they_do(tmp_path: Path) -> None:
    events = deliveries(tmp_path, [0, 10, 20, 30])
    here, there = (outcome(events, edition(quarantine={"contact": span})) for span in ("5d", "60d"))
    found = {(one.what, one.programme): (one.here, one.there, one.change) for one in differences(here, there)}
    same = [("invitations", ""), ("invitations", "delivery-csat"), ("most invitations to one person", "")]
    assert [found[key] for key in same] == [(4, 1, 3)] * 3
