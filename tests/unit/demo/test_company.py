"""The simulated company: the same story every time, real forms, a stop watch that knows the flow."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.browser import _Reader
from demo.chance import Chance
from demo.mails import Sink
from demo.people import Agenda
from demo.steps import READS, WRITES
from demo.story import DAYS, story
from demo.world import customers
from tools import flow

START = datetime(2026, 1, 12, 7, 0, tzinfo=UTC)


def test_the_story_is_the_same_every_time_and_in_order() -> None:
    first = story(Chance("x"), customers(Chance("x")), START)
    assert first == story(Chance("x"), customers(Chance("x")), START)
    assert [h.at for h in first] == sorted(h.at for h in first)
    assert first[-1].at < START + timedelta(days=DAYS)


def test_a_story_has_all_four_touchpoints_and_its_mishaps() -> None:
    types = {happening.type for happening in story(Chance("x"), customers(Chance("x")), START)}
    assert {"customer.signed_up", "order.delivered", "solved", "contract.renewal_date_set"} <= types
    assert "contact.deleted" in types


def test_forty_accounts_have_some_three_hundred_people_with_addresses_of_their_own() -> None:
    people = [contact for account in customers(Chance("nordlicht")) for contact in account.contacts]
    assert 250 <= len(people) <= 350
    assert len({contact.email for contact in people}) == len(people)
    assert all(contact.email.isascii() for contact in people)


@pytest.mark.parametrize("service", flow.SERVICES)
def test_the_stop_watch_knows_who_writes_and_reads_what(service: str) -> None:
    part = flow.part_of(service)
    assert set(READS[service]) == {topic.value for topic in part.topics(part.reads)}
    sends = {topic.value for topic in part.topics(part.sends)}
    consumed = {topic for topics in READS.values() for topic in topics}
    assert sends & consumed <= WRITES[service]


def test_people_do_things_in_the_order_of_time() -> None:
    agenda = Agenda()

    async def nothing() -> None:
        return None

    for hours in (5, 1, 3):
        agenda.plan(START + timedelta(hours=hours), nothing)
    assert agenda.next_at == START + timedelta(hours=1)
    assert len(agenda.due(START + timedelta(hours=3))) == 2
    assert agenda.next_at == START + timedelta(hours=5)


def test_a_form_is_sent_as_the_page_preset_it() -> None:
    reader = _Reader()
    reader.feed(
        '<form method="post" action="/s/t"><input type="hidden" name="nonce" value="n">'
        '<input type="radio" name="q" value="1"><input type="radio" name="q" value="2" checked>'
        '<textarea name="why"></textarea><button name="go" value="1">Send</button></form>'
    )
    (form,) = reader.forms
    assert form.filled(why="because") == {"nonce": "n", "q": "2", "why": "because"}
    assert form.controls["q"].options == ["1", "2"]
    assert form.buttons == [("go", "1")]


def test_mails_that_arrived_twice_are_counted(tmp_path: Path) -> None:
    lines = [
        {"message_id": "<1>", "recipients": ["a@x.example"]},
        {"message_id": "<2>", "recipients": ["a@x.example"]},
    ]
    lines.append(lines[0])
    (tmp_path / "journal.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"torn')
    assert Sink(tmp_path).doubled() == 1
