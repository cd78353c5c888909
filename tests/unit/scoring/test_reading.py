"""Scoring's own reader of responses says what the contract's models say, whatever the answer is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.facts import DIMENSIONS, STATES, day_of
from services.scoring.domain.histogram import Metric
from services.scoring.domain.reading import READERS, read, told_by
from shared.contracts.envelope import Event, binary_headers, decode
from shared.contracts.forms import QuestionType
from shared.contracts.model import Channel, Family, Persona, Snapshot, Tier
from shared.contracts.registry import payload_of
from shared.contracts.responses import Answered, Mood, Response, Score
from shared.contracts.topics import Topic
from shared.errors import Undecodable

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ids = st.uuids().map(str)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.timezones())  # noqa: DTZ001 - zones are drawn
snapshots = st.builds(
    Snapshot,
    contact_id=ids,
    account_id=st.none() | ids,
    family=st.sampled_from(Family),
    tier=st.none() | st.sampled_from(Tier),
    persona=st.none() | st.sampled_from(Persona),
    channel=st.sampled_from(Channel),
    context=st.dictionaries(text, text, max_size=2),
    **dict.fromkeys(
        ("programme", "version", "touchpoint", "account_name", "industry", "size", "owner", "job_function",
         "product", "service_type", "region", "locale", "stage", "subject_kind", "subject_id"),
        text,
    ),
)  # fmt: skip
scores = st.sampled_from(Metric).flatmap(
    lambda metric: st.builds(
        Score,
        question=text,
        type=st.just(QuestionType(metric.value)),
        value=st.integers(metric.lowest, metric.highest),
        item=st.sampled_from(["", "row"]),
    )
)
fields: dict[str, st.SearchStrategy[Any]] = {
    "response_id": ids, "survey_id": ids, "version": st.integers(0, 2**31 - 1), "snapshot": snapshots,
    "at": instants, "received_at": instants, "first_at": instants, "asked_at": st.none() | instants,
    "primary": text, "mood": st.sampled_from(Mood), "low": st.integers(0, 10),
    "scores": st.lists(scores, max_size=3).map(tuple),
    "choices": st.dictionaries(text, st.lists(text, max_size=2).map(tuple), max_size=2),
    "words": text, "evidence": st.lists(text, max_size=2).map(tuple), "reason": text,
}  # fmt: skip


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """A response event of any type that scoring reads."""
    model = payload_of(Topic.RESPONSES, draw(st.sampled_from(sorted(STATES))))
    assert model is not None
    drawn = {name: draw(fields[name]) for name in model.model_fields if name in fields}
    found = model.model_validate(drawn)
    assert isinstance(found, Response)
    return found


@given(responses())
def test_both_readings_agree(told: Response) -> None:
    found = told_by(told.TYPE, read(told.model_dump_json().encode()))
    first_at = told.first_at if isinstance(told, Answered) else told.at
    asked_at = told.asked_at if isinstance(told, Answered) else None
    assert found.fact.response_id == told.response_id
    assert found.fact.survey_id == told.survey_id
    assert found.fact.version == told.version
    assert found.fact.state is STATES[told.TYPE]
    assert found.fact.family == told.snapshot.family
    assert found.fact.day == day_of(first_at)
    assert found.fact.cohort == day_of(asked_at or first_at)
    assert found.fact.dims == tuple(getattr(told.snapshot, name) for name in DIMENSIONS)
    assert (found.contact_id, found.account_id) == (told.snapshot.contact_id, told.snapshot.account_id)
    assert json.loads(found.snapshot) == told.snapshot.model_dump(mode="json")
    if isinstance(told, Answered):
        read_back = [(s.question, s.type, s.value, s.item) for s in found.response.scores]
        assert read_back == [(s.question, s.type.value, s.value, s.item) for s in told.scores]
        assert found.response.choices == told.choices
        assert (found.response.primary, found.response.mood, found.response.low) == (
            told.primary, told.mood, told.low,
        )  # fmt: skip


@given(responses(), st.data())
def test_what_breaks_the_contract_is_refused_or_read_without_harm(
    told: Response, data: st.DataObject
) -> None:
    document = told.model_dump(mode="json")
    field = data.draw(st.sampled_from(sorted(document)))
    document[field] = data.draw(st.sampled_from([None, "", "x", -1, 1.5, True, [], {}, [{}]]))
    try:
        told_by(told.TYPE, read(json.dumps(document).encode()))
    except (Undecodable, ValueError):
        return
    assert field not in {"response_id", "survey_id", "version", "snapshot", "at"} or document[field] == -1


def test_a_record_is_read_with_the_services_own_reader() -> None:
    event = next(iter(READERS))
    with pytest.raises(Undecodable, match="response: "):
        decode(Topic.RESPONSES, b"k", b"{}", _headers(event), READERS)


def _headers(kind: str) -> tuple[tuple[str, bytes], ...]:
    at = datetime(2026, 3, 3, tzinfo=UTC)
    empty: Event[Any] = Event("1", "/collector", kind, at, "", "", None)
    return binary_headers(empty)
