from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import get_args, get_type_hints
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from pydantic import BaseModel

from services.scoring.domain import reading, rollups
from services.scoring.domain.asks import Ask
from services.scoring.domain.asks import fold as fold_asks
from services.scoring.domain.facts import DIMENSIONS, Fact, State, context_of, merge, points_of
from services.scoring.domain.histogram import Metric
from services.scoring.domain.reading import (
    Answer,
    Told,
    fold,
    kept_of,
    read,
    response_of,
    told_by,
    without_person,
)
from services.scoring.domain.rollups import Cell, RateCell
from shared.contracts.forms import QuestionType
from shared.contracts.model import Channel, Family, Persona, Snapshot, Tier
from shared.contracts.responses import (
    Mood,
    ResponseAmended,
    ResponseHeld,
    ResponseReleased,
    ResponseSubmitted,
    ResponseWithdrawn,
    Score,
)
from shared.errors import Undecodable

DAY = date(2026, 3, 3)
AT = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
EMPTY = (None,) * len(DIMENSIONS)


def dims(**known: str) -> tuple[str | None, ...]:
    return tuple(known.get(dimension) for dimension in DIMENSIONS)


def fact(number: int = 1, version: int = 1, state: State = State.COUNTED, nps: int = 9, **known: str) -> Fact:
    ids = str(UUID(int=number)), str(UUID(int=number + 1000))
    known_dims = dims(**{"programme": "renewal", **known})
    return Fact(*ids, version, state, "transactional", DAY, DAY, known_dims, (("nps", nps),))


def submitted(**changes: object) -> ResponseSubmitted:
    values: dict[str, object] = {
        "response_id": str(UUID(int=1)),
        "survey_id": str(UUID(int=2)),
        "version": 1,
        "snapshot": Snapshot(
            programme="renewal", version="v1", family=Family.TRANSACTIONAL,
            touchpoint="contract.renewal_date_set",
            contact_id=str(UUID(int=3)), account_id=str(UUID(int=4)), account_name="Northwind", tier=Tier.KEY,
            persona=Persona.USER, industry="logistics", owner="anna@example.com", subject_kind="contract",
            subject_id="C-1", context={"carrier": "x"},
        ),
        "at": AT, "received_at": AT, "first_at": AT, "asked_at": AT - timedelta(days=2),
        "primary": "q", "mood": Mood.HAPPY, "low": 6,
        "scores": (Score(question="q", type=QuestionType.NPS, value=9),),
    }  # fmt: skip
    return ResponseSubmitted.model_validate(values | changes)


def told(payload: ResponseSubmitted | ResponseAmended | ResponseHeld | ResponseWithdrawn) -> Told:
    return told_by(payload.TYPE, response_of(payload))


def withdrawn(version: int) -> ResponseWithdrawn:
    return ResponseWithdrawn(
        response_id=str(UUID(int=1)),
        survey_id=str(UUID(int=2)),
        version=version,
        snapshot=submitted().snapshot,
        at=AT,
    )


def test_a_submitted_event_becomes_a_fact_with_all_its_dimensions() -> None:
    found = told(submitted()).fact
    assert found.points == (("nps", 9),)
    assert found.counts
    assert found.day == DAY
    assert found.cohort == date(2026, 3, 1)
    known = dict(zip(DIMENSIONS, found.dims, strict=True))
    assert known["programme"] == "renewal"
    assert (known["tier"], known["persona"], known["industry"]) == ("key", "user", "logistics")
    assert (known["owner"], known["channel"], known["locale"]) == ("anna@example.com", "email", "en")


def test_a_day_is_a_day_of_utc() -> None:
    late = submitted(first_at=datetime.fromisoformat("2026-03-03T23:30:00-05:00"))
    assert told(late).fact.day == date(2026, 3, 4)


def test_without_a_known_hand_over_the_cohort_is_the_day_of_the_answer() -> None:
    assert told(submitted(asked_at=None)).fact.cohort == DAY


@pytest.mark.parametrize(
    ("event_type", "expected"),
    [
        (ResponseSubmitted.TYPE, State.COUNTED),
        (ResponseAmended.TYPE, State.COUNTED),
        (ResponseReleased.TYPE, State.COUNTED),
        (ResponseHeld.TYPE, State.HELD),
        (ResponseWithdrawn.TYPE, State.WITHDRAWN),
    ],
)
def test_held_and_withdrawn_answers_do_not_count(event_type: str, expected: State) -> None:
    found = told_by(event_type, response_of(submitted())).fact
    assert found.state is expected
    assert found.counts == (expected is State.COUNTED)


@pytest.mark.requirement("R10")
def test_one_survey_may_score_several_metrics() -> None:
    pair = points_of([Answer("q1", "nps", 9), Answer("q2", "csat", 2), Answer("m", "matrix", 1, "ui")], "q1")
    assert pair == (("nps", 9), ("csat", 2))


@pytest.mark.parametrize(("primary", "expected"), [("b", 5), ("a", 1), ("elsewhere", 1)])
def test_two_answers_on_one_scale_are_still_one_person(primary: str, expected: int) -> None:
    assert points_of([Answer("a", "csat", 1), Answer("b", "csat", 5)], primary) == (("csat", expected),)


def test_an_answer_off_its_scale_is_named() -> None:
    with pytest.raises(ValueError, match=r"scores\.q: 12 is not on the scale of nps"):
        points_of([Answer("q", "nps", 12)], "q")


def test_the_answer_is_kept_whole_but_for_its_words() -> None:
    kept = kept_of(response_of(submitted(words="sealed", person="sealed", choices={"area": ("ui",)})))
    assert kept == (
        '{"primary":"q","mood":"happy","low":6,"scores":[{"question":"q","type":"nps","value":9,"item":""}],'
        '"choices":{"area":["ui"]}}'
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"response_id": 5}',
        submitted().model_dump_json().replace(str(UUID(int=1)), "1").encode(),
        submitted().model_dump_json().replace("+00:00", "").replace("Z", "").encode(),
    ],
)
def test_data_that_break_the_contract_are_told_apart(data: bytes) -> None:
    with pytest.raises(Undecodable, match="response: "):
        read(data)


def test_a_snapshot_that_breaks_the_contract_is_named() -> None:
    broken = submitted().model_dump_json().replace('"tier":"key"', '"tier":"x"').encode()
    with pytest.raises(ValueError, match=r"snapshot: Invalid enum value 'x' - at `\$.tier`"):
        told_by(ResponseSubmitted.TYPE, read(broken))


def test_an_erased_contact_leaves_an_answer_that_leads_to_nobody() -> None:
    bare = without_person(told(submitted()))
    assert bare.contact_id is None
    kept = json.loads(bare.snapshot)
    assert not {"contact_id", "subject_kind", "subject_id", "context", "zone"} & set(kept)
    assert (kept["programme"], kept["tier"], kept["account_id"]) == ("renewal", "key", str(UUID(int=4)))


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        pytest.param(1, 2, True, id="newer"),
        pytest.param(2, 2, False, id="repeated"),
        pytest.param(3, 2, False, id="late"),
    ],
)
def test_only_a_newer_version_replaces_a_fact(old: int, new: int, *, replaced: bool) -> None:
    assert (merge(fact(version=old), fact(version=new, nps=3)) is not None) == replaced


def test_a_withdrawal_keeps_what_was_answered_on_record() -> None:
    batch = fold([told(submitted()), told(withdrawn(2))])
    assert [one.fact.state for one in batch] == [State.WITHDRAWN]
    assert batch[0].fact.points == (("nps", 9),)
    assert batch[0].response.scores


def test_a_batch_is_folded_to_one_fact_a_response_in_order_of_ids() -> None:
    second = submitted(response_id=str(UUID(int=9)))
    better = ResponseAmended.model_validate(
        submitted(version=2, scores=(Score(question="q", type=QuestionType.NPS, value=2),)).model_dump()
    )
    batch = fold([told(second), told(better), told(submitted())])
    assert [(UUID(one.fact.response_id).int, one.fact.version, one.fact.points) for one in batch] == [
        (1, 2, (("nps", 2),)),
        (9, 1, (("nps", 9),)),
    ]


@pytest.mark.requirement("R61", "R67")
def test_an_answer_is_counted_under_every_rollup_it_has_a_value_for() -> None:
    found = rollups.deltas([], [fact(tier="key", persona="user")])
    assert {(cell.rollup, cell.value) for cell in found} == {
        ("total", ""),
        ("programme", "renewal"),
        ("tier", "key"),
        ("persona", "user"),
        ("programme+tier", "renewal\x1fkey"),
        ("programme+persona", "renewal\x1fuser"),
        ("tier+persona", "key\x1fuser"),
    }
    assert all(buckets[9] == 1 and sum(buckets) == 1 for buckets in found.values())


def test_a_fact_goes_into_at_most_25_cells_a_metric() -> None:
    every = context_of({f"a{i}": "x" for i in range(9)}, [f"a{i}" for i in range(9)])
    full = fact()._replace(dims=tuple(f"v{i}" for i in range(len(DIMENSIONS))), context=every)
    assert len(rollups.deltas([], [full])) == len(rollups.ROLLUPS) + 5 == 25


@pytest.mark.requirement("R61", "R66")
def test_attributes_that_a_programme_names_are_counted_within_it() -> None:
    event = {"carrier": "DHL", "weight": "12", "release": ""}
    snap = submitted().snapshot.model_copy(
        update={"context": event, "breakdown": ("carrier", "release", "lane")}
    )
    counted = told(submitted(snapshot=snap)).fact
    assert counted.context == (("carrier", "DHL"),)
    cells = {cell.rollup: cell.value for cell in rollups.deltas([], [counted])}
    assert cells["programme+context.carrier"] == "renewal\x1fDHL"
    assert not {name for name in cells if "weight" in name or "lane" in name or "release" in name}
    assert told(submitted()).fact.context == (), "no programme named it"


def test_an_erased_contacts_attributes_are_counted_no_more() -> None:
    snap = submitted().snapshot.model_copy(update={"breakdown": ("carrier",)})
    whole = told(submitted(snapshot=snap))
    bare = without_person(whole)
    (cell,) = rollups.deltas([whole.fact], [bare.fact])
    assert (cell.rollup, cell.value) == ("programme+context.carrier", "renewal\x1fx")


@pytest.mark.requirement("R6")
def test_two_families_never_share_a_cell() -> None:
    found = rollups.deltas([], [fact(1), fact(2)._replace(family="relationship")])
    assert all(sum(buckets) == 1 for buckets in found.values())
    assert {cell.family for cell in found} == {"transactional", "relationship"}


@pytest.mark.requirement("R2")
def test_two_scales_never_share_a_cell() -> None:
    found = rollups.deltas([], [fact(1)._replace(points=(("nps5", 5),)), fact(2, nps=5)])
    total = {cell.metric: buckets for cell, buckets in found.items() if cell.rollup == "total"}
    assert total["nps5"][4] == 1
    assert total["nps"][5] == 1


def test_an_amendment_moves_an_answer_and_nothing_else() -> None:
    found = rollups.deltas([fact(nps=3)], [fact(version=2, nps=9)])
    assert {cell.rollup for cell in found} == {"total", "programme"}
    assert all((buckets[3], buckets[9], sum(map(abs, buckets))) == (-1, 1, 2) for buckets in found.values())


def test_an_amendment_that_changes_no_score_changes_no_cell() -> None:
    assert rollups.deltas([fact()], [fact(version=2)]) == {}


def test_held_answers_are_counted_as_held_and_not_as_answers() -> None:
    cell = RateCell("transactional", "total", "", DAY)
    assert rollups.fact_rates([], [fact(state=State.HELD)])[cell] == [0, 0, 0, 1]
    assert rollups.fact_rates([fact(state=State.HELD)], [fact(version=2)])[cell] == [0, 0, 1, -1]
    assert rollups.fact_rates([fact()], [fact(version=2, state=State.WITHDRAWN)])[cell] == [0, 0, -1, 0]


def test_a_response_withdrawn_from_the_start_is_counted_nowhere() -> None:
    gone = fact(state=State.WITHDRAWN)
    assert rollups.fact_rates([], [gone]) == {}
    assert rollups.deltas([], [gone]) == {}


def test_a_survey_is_asked_once_and_handed_over_on_the_first_day() -> None:
    asked = Ask(UUID(int=1), "transactional", "renewal", "", None, None, "email", DAY, None)
    sms = asked._replace(requested_on=None, handed_on=DAY + timedelta(days=3))
    mail = asked._replace(requested_on=None, handed_on=DAY + timedelta(days=1))
    (whole,) = fold_asks([sms, asked, mail])
    assert (whole.requested_on, whole.handed_on) == (DAY, DAY + timedelta(days=1))
    found = rollups.ask_rates([], [whole])
    assert found[RateCell("transactional", "total", "", DAY)] == [1, 0, 0, 0]
    assert found[RateCell("transactional", "programme", "renewal", DAY + timedelta(days=1))] == [0, 1, 0, 0]


def test_a_pair_reads_back_as_its_dimensions() -> None:
    assert rollups.split_value("programme+tier", "renewal\x1fkey") == {"programme": "renewal", "tier": "key"}
    assert rollups.split_value("total", "") == {}


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    tier = draw(st.sampled_from(["key", "small", ""]))
    drawn = fact(
        draw(st.integers(1, 10)),
        state=draw(st.sampled_from(list(State))),
        nps=draw(st.integers(0, 10)),
        tier=tier,
    )
    return drawn._replace(day=DAY + timedelta(days=draw(st.integers(0, 2))))


@given(st.lists(facts()), st.lists(facts()))
def test_going_and_coming_is_the_difference_of_two_counts(before: list[Fact], after: list[Fact]) -> None:
    def count(all_facts: list[Fact]) -> Counter[tuple[Cell, int]]:
        return Counter({
            (cell, index): times
            for cell, buckets in rollups.deltas([], all_facts).items()
            for index, times in enumerate(buckets)
        })  # fmt: skip

    expected = count(after)
    expected.subtract(count(before))
    found = Counter({
        (cell, index): times
        for cell, buckets in rollups.deltas(before, after).items()
        for index, times in enumerate(buckets)
    })  # fmt: skip
    assert {key: n for key, n in found.items() if n} == {key: n for key, n in expected.items() if n}


@pytest.mark.parametrize(
    ("mirror", "contract"),
    [(reading.Snapshot, Snapshot), (reading.Response, ResponseSubmitted), (reading.Answer, Score)],
)
def test_the_fast_reader_knows_only_fields_of_the_contract(
    mirror: type[Struct], contract: type[BaseModel]
) -> None:
    assert set(mirror.__struct_fields__) <= set(contract.model_fields)


@pytest.mark.parametrize(
    ("mirror", "field", "contract"),
    [
        (reading.Snapshot, "tier", Tier),
        (reading.Snapshot, "persona", Persona),
        (reading.Snapshot, "channel", Channel),
        (reading.Snapshot, "family", Family),
        (reading.Response, "mood", Mood),
    ],
)
def test_the_fast_reader_takes_the_same_closed_lists(
    mirror: type[Struct], field: str, contract: type[StrEnum]
) -> None:
    hint = get_type_hints(mirror)[field]
    known = {value for part in (hint, *get_args(hint)) for value in get_args(part) if isinstance(value, str)}
    assert known == {member.value for member in contract}


def test_dimensions_are_the_first_fields_of_a_snapshot() -> None:
    assert reading.Snapshot.__struct_fields__[: len(DIMENSIONS)] == DIMENSIONS


def test_every_metric_of_the_contract_is_scored() -> None:
    assert {metric.value for metric in Metric} == {"nps", "nps5", "csat", "ces"}
