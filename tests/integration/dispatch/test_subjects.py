"""Several subjects: each recipient keeps one, it stands with the message, and rates say what it brings."""

from __future__ import annotations

import re

import httpx
import pytest

from services.dispatch.domain.subjects import line_for
from shared.contracts.model import Channel, Family, Person
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.security.access import Role
from tests.support.breaking import deliver
from tests.support.desk import somebody
from tests.support.dispatch import NPS, MailRoom, Site, contact_id, reminder, snapshot, survey_id
from tests.support.subjects import LETTER, LINES
from tests.support.texting import NUMBER, Exchange

SPAN = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-04T00:00:00Z"}


def of(name: str) -> str:
    """The line that somebody gets."""
    line = line_for(LETTER, "relationship-nps", contact_id(name))
    assert line is not None
    return line.id


NAMES = [f"person{number}" for number in range(60)]
FIRST = next(name for name in NAMES if of(name) == "first")
MINUTE = next(name for name in NAMES if of(name) == "minute")


async def line_of(room: MailRoom, name: str) -> list[str | None]:
    rows = await room.fetch(
        "select subject_line from messages where survey_id = $1::text::uuid order by step, requested_at",
        survey_id(name),
    )
    return [row["subject_line"] for row in rows]


@pytest.mark.parametrize("name", [FIRST, MINUTE], ids=["first", "minute"])
async def test_a_recipient_gets_one_line_and_the_same_one_again_when_reminded(
    room: MailRoom, api: httpx.AsyncClient, name: str
) -> None:
    await room.ask(name, letter=LETTER)
    await room.work()
    subject = LINES[of(name)].replace("{product}", "Cloud")
    assert room.read()["Subject"] == subject
    await room.tell(reminder(name))
    await deliver(room)
    assert room.read()["Subject"] == f"Reminder: {subject}"
    assert await line_of(room, name) == [of(name)] * 2
    [later, first] = (await api.get(f"/v1/messages?survey={survey_id(name)}")).json()["messages"]
    assert later["subject_line"] == first["subject_line"] == of(name)


async def test_a_channel_without_a_subject_keeps_none_and_the_next_one_has_the_recipients(
    exchange: Exchange,
) -> None:
    room = exchange.room
    person = Person(name="Anna", email=f"{MINUTE}@customer.example", phone=NUMBER)
    await room.ask(MINUTE, person=person, channels=(Channel.SMS, Channel.EMAIL), letter=LETTER)
    await room.work()
    assert await line_of(room, MINUTE) == [None]


async def test_a_survey_with_one_subject_keeps_none(room: MailRoom) -> None:
    await room.ask("anna")
    await room.work()
    assert await line_of(room, "anna") == [None]


async def answered(room: MailRoom, *names: str) -> None:
    for name in names:
        await room.run(
            "insert into answers (survey_id, version, answered, started) "
            "values ($1::text::uuid, 1, true, true)",
            survey_id(name),
        )


async def test_rates_tell_what_each_line_brings(room: MailRoom, site: Site, api: httpx.AsyncClient) -> None:
    for name in NAMES:
        await room.ask(name, letter=LETTER)
    await room.ask("me", snapshot=snapshot("me", test=True), letter=LETTER)
    await room.ask("plain")
    await room.work()
    firsts, minutes = ([name for name in NAMES if of(name) == line] for line in LINES)
    await answered(room, *firsts[:2], *minutes[:-2])
    await room.run(
        "update answers set answered = false where survey_id = $1::text::uuid", survey_id(firsts[0])
    )
    [found] = (await api.get("/v1/rates/subjects", params=SPAN)).json()["programmes"]
    assert found["programme"] == "relationship-nps"
    best, worst = found["lines"]
    assert (best["line"], best["verdict"], worst["line"], worst["verdict"]) == (
        "minute", "ahead", "first", "behind",
    )  # fmt: skip
    assert (worst["sent"], worst["people"], worst["started"], worst["answered"]) == (
        len(firsts), len(firsts), 2, 1,
    )  # fmt: skip
    assert worst["rate"] == round(1 / len(firsts), 4)
    assert 0 <= worst["low"] < worst["rate"] < worst["high"] < best["low"]
    backwards = {"since": SPAN["until"], "until": SPAN["since"]}
    assert (await api.get("/v1/rates/subjects", params=backwards)).status_code == 422

    viewer = await somebody(site, Role.VIEWER)
    page = (await viewer.get("/messages/rates/subjects?from=2026-03-01&to=2026-03-03")).text
    assert "minute gets more answers than every other." in page
    assert page.count("not in the programme any more") == 2
    await room.tell(
        ProgrammePublished(
            programme="relationship-nps", version="v2", revision=2, state=ProgrammeState.ACTIVE,
            family=Family.RELATIONSHIP, form=NPS, letter=LETTER, definition={},
        )
    )  # fmt: skip
    page = (await viewer.get("/messages/rates/subjects?from=2026-03-01&to=2026-03-03")).text
    assert "One minute for {product}?" in page
    assert "not in the programme any more" not in page


async def test_with_few_the_page_says_that_nothing_can_be_said_and_without_any_how_to_begin(
    room: MailRoom, site: Site
) -> None:
    viewer = await somebody(site, Role.VIEWER)
    path = "/messages/rates/subjects?from=2026-03-01&to=2026-03-03"
    assert "Write letter.subjects" in (await viewer.get(path)).text
    for name in (FIRST, MINUTE):
        await room.ask(name, letter=LETTER)
    await room.work()
    await answered(room, FIRST)
    page = (await viewer.get(path)).text
    assert "Nothing can be said yet" in page
    assert page.count("too few people yet") == 2
    assert re.search(r"\b5\s?% to 100\s?%", page)
    wrong = await viewer.get("/messages/rates/subjects?from=soon")
    assert wrong.status_code == 422
    assert '/messages/rates/subjects"' in (await viewer.get("/messages/rates")).text
