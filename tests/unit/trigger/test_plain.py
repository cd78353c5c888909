"""Plain events of a history are read as the model of the wire reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.trigger.sources.plain import PlainAccount, PlainContact, PlainSubject, read_plain
from shared.contracts.touchpoints import Subject, Touchpoint, TouchpointAccount, TouchpointContact

ALIKE = ("accounts", "companies", "company", "people")
HEAD = {"specversion": "1.0", "id": "e1", "source": "/app", "type": "ticket.opened"}

SELDOM = 20
"""One value of so many is of some other kind than it should be."""

texts = st.one_of(st.text(max_size=6), st.sampled_from(["sv", "x" * 200]))
anything = st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False))
instants = st.sampled_from([
    "2026-01-05T09:00:00Z", "2026-12-31T23:59:59z", "2026-03-29t02:30:00+01:00", "2026-07-01T00:00:00+14:00",
    "2026-01-05T09:00:00.5+02:00", "2026-01-05 09:00:00.123456-05:30",
    "2026-01-05T09:00:00.9999999Z", "2026-01-05T09:00:00", "2026-01-05T24:00:00Z", "2026-01-05T09:00Z",
    "20260105T090000Z", "1767603600", "", "2026-02-30T09:00:00Z", "2026-01-05T09:00:00+24:00",
])  # fmt: skip
days = st.sampled_from(["2026-01-05", "2026-12-31", "2024-02-29", None, "2026-1-5", "2026-01-05T00:00:00Z"])


def mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What should be there, and seldom something else."""
    return st.integers(1, SELDOM).flatmap(lambda draw: anything if draw == 1 else right)


def parts(model: type[Any], **own: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some fields of a model, right and wrong."""
    every = {**dict.fromkeys(model.model_fields, texts), **own}
    needed = {name: mostly(every[name]) for name, one in model.model_fields.items() if one.is_required()}
    rest = {name: mostly(one) for name, one in every.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional={**rest, "unknown": anything})


contacts = parts(
    TouchpointContact,
    persona=st.sampled_from(["user", "decision_maker", None]),
    consent=st.sampled_from([True, False, None]),
    consent_at=st.none(),
)
accounts = parts(
    TouchpointAccount,
    id=st.text(min_size=1, max_size=5),
    tier=st.sampled_from(["key", "small", None]),
    annual_value=st.one_of(st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    acquisition_cost=st.one_of(st.none(), st.integers()),
    started_on=days,
)
subjects = parts(Subject, kind=st.text(min_size=1, max_size=5), id=st.text(min_size=1, max_size=5))
tellings = st.fixed_dictionaries(
    {"occurred_at": instants},
    optional={
        "contact": mostly(st.one_of(contacts, st.none())),
        "contacts": mostly(st.lists(contacts, max_size=2)),
        "account": mostly(st.one_of(accounts, st.none())),
        "accounts": mostly(st.just([])),
        "product": mostly(texts),
        "service_type": mostly(texts),
        "subject": mostly(st.one_of(subjects, st.none())),
        "renewal_on": days,
        "context": mostly(st.dictionaries(texts, mostly(texts), max_size=2)),
        "more": anything,
    },
)


@given(tellings)
def test_what_a_struct_takes_the_model_reads_alike(data: dict[str, Any]) -> None:
    plain = read_plain(json.dumps({**HEAD, "data": data}).encode())
    if plain is None:
        return
    told = Touchpoint.model_validate_json(json.dumps(data))
    _, said = plain
    for name in (*Touchpoint.model_fields, *ALIKE):
        assert _plainly(getattr(said, name)) == _plainly(getattr(told, name)), name


@pytest.mark.parametrize(
    ("struct", "model"),
    [(PlainContact, TouchpointContact), (PlainAccount, TouchpointAccount), (PlainSubject, Subject)],
)
def test_a_struct_has_all_that_its_model_has(struct: type[Any], model: type[Any]) -> None:
    assert struct.__struct_fields__ == tuple(model.model_fields)


@pytest.mark.parametrize("time", ["2026-01-05T09:00:00Z", "yesterday", "2026-01-05T09:00:00"])
def test_the_time_of_the_envelope_is_an_instant_too(time: str) -> None:
    data = {"occurred_at": "2026-01-05T09:00:01Z", "product": "Ledger"}
    found = read_plain(json.dumps({**HEAD, "time": time, "data": data}).encode())
    assert (found is not None) is time.endswith("Z")


@pytest.mark.parametrize("name", ["id", "source", "type"])
def test_an_attribute_that_says_nothing_or_too_much_is_looked_at_more_closely(name: str) -> None:
    data = {"occurred_at": "2026-01-05T09:00:01Z", "product": "Ledger"}
    for text in ("", "x" * 1025, 7):
        assert read_plain(json.dumps({**HEAD, name: text, "data": data}).encode()) is None


def test_an_event_that_names_nobody_and_nothing_is_refused_by_both() -> None:
    data = {"occurred_at": "2026-01-05T09:00:01Z", "subject": {"kind": "ticket", "id": "T-1"}}
    assert read_plain(json.dumps({**HEAD, "data": data}).encode()) is None
    with pytest.raises(ValidationError, match="at least one of"):
        Touchpoint.model_validate(data)


def _plainly(value: Any) -> Any:
    """A part as its fields, to compare it across the two."""
    if isinstance(value, tuple):
        return [_plainly(one) for one in value]
    names = getattr(value, "__struct_fields__", None) or getattr(type(value), "model_fields", None)
    return [_plainly(getattr(value, name)) for name in names] if names else value
