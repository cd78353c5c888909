"""Generated documents are current, examples fit their models and schemas, and schemas only ever grow."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shared.contracts.model import Payload
from shared.contracts.topics import TOPICS, Topic, TopicPlan
from tools import asyncapi, docs, events, flow
from tools.examples import example

ROOT = Path(__file__).parents[2]
MODELS = [pytest.param(model, id=model.TYPE) for model in flow.EVENTS]


def test_generated_documents_are_current() -> None:
    assert docs.stale(docs.documents()) == [], "run make docs"


def test_a_missing_and_a_left_over_document_are_noticed() -> None:
    made = docs.documents()
    gone = events.SCHEMAS / "survey.requested.v1.json"
    new = Path("docs/never-written.md")
    without = {path: text for path, text in made.items() if path != gone}
    assert set(docs.stale({**without, new: "text"})) >= {str(gone), str(new)}


@pytest.mark.parametrize("model", MODELS)
def test_the_example_fits_the_schema_and_comes_back_unchanged(model: type[Payload]) -> None:
    data = example(model)
    Draft202012Validator(events.schema(model)).validate(data)
    again = model.model_validate_json(json.dumps(data))
    assert again.model_dump(mode="json", exclude_unset=True) == data


@pytest.mark.parametrize("model", MODELS)
def test_a_reader_ignores_fields_of_a_later_writer(model: type[Payload]) -> None:
    later = {**example(model), "added_next_year": {"deep": [1]}}
    assert model.model_validate(later) == model.model_validate(example(model))
    Draft202012Validator(events.schema(model)).validate(later)


@pytest.mark.parametrize("model", MODELS)
def test_an_example_without_a_required_field_is_refused(model: type[Payload]) -> None:
    data = example(model)
    required = events.schema(model).get("required", [])
    validator = Draft202012Validator(events.schema(model))
    assert required
    for name in required:
        broken = {field: value for field, value in data.items() if field != name}
        assert not validator.is_valid(broken), name


def test_asyncapi_refers_only_to_what_it_holds() -> None:
    document = yaml.safe_load((ROOT / asyncapi.PATH).read_text(encoding="utf-8"))
    missing = [ref for ref in references(document) if not resolves(document, ref)]
    assert missing == []


def references(part: object) -> list[str]:
    if isinstance(part, list):
        return [ref for item in part for ref in references(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [ref for value in part.values() for ref in references(value)]


def resolves(document: dict[str, Any], ref: str) -> bool:
    place: Any = document
    for step in ref.removeprefix("#/").split("/"):
        if step not in place:
            return False
        place = place[step]
    return True


def test_every_topic_is_planned_and_every_event_travels_on_one() -> None:
    assert [plan.topic for plan in TOPICS] == list(Topic)
    assert {model.TOPIC for model in flow.EVENTS} == set(Topic)


@pytest.mark.parametrize("plan", TOPICS, ids=[plan.topic.value for plan in TOPICS])
def test_a_topic_is_made_by_those_who_announce_on_it(plan: TopicPlan) -> None:
    senders = {part.service for part in flow.parts() if plan.topic in part.topics(part.sends)}
    # Webhooks become touchpoints inside trigger, which no model's name shows; messages have no sender yet.
    assert senders == set(plan.writers) or (plan.topic in {Topic.TOUCHPOINTS, Topic.MESSAGES} and not senders)


def test_every_topic_that_is_read_is_sent_by_somebody() -> None:
    parts = flow.parts()
    sent = {topic for part in parts for topic in part.topics(part.sends)}
    read = {topic for part in parts for topic in part.topics(part.reads)}
    # Backends send touchpoints; messages beside surveys have a reader before they have a sender.
    assert read - sent <= {Topic.TOUCHPOINTS, Topic.MESSAGES}
