"""The page of who is not written to: found, entered, taken off, read in from a file and given away."""

from __future__ import annotations

import csv
import re
from datetime import timedelta

import pytest

from shared.contracts.directory import ContactErased
from shared.contracts.reasons import Reason
from shared.runtime.clock import FixedClock
from shared.security.access import Role
from tests.support.desk import somebody
from tests.support.dispatch import NOW, MailRoom, Site, contact_id, snapshot, survey_id

PATH = "/messages/suppressions"


def entry_form(page: str) -> dict[str, str]:
    """The hidden fields of the first entry that may be taken off."""
    return {
        name: match[1]
        for name in ("subject", "noted_at")
        if (match := re.search(f'name="{name}" value="([^"]+)"', page))
    }


@pytest.mark.requirement("R57")
async def test_an_address_that_is_put_on_the_list_by_hand_gets_no_mail_until_it_is_taken_off(
    room: MailRoom, site: Site
) -> None:
    manager = await somebody(site, Role.MANAGER)
    empty = await manager.get(PATH)
    assert "The list is empty" in empty.text
    added = await manager.post(
        f"{PATH}/add", data={"new": " Anna@customer.example ", "new_reason": "opted_out"}
    )
    assert added.headers["location"] == f"{PATH}?done=added"
    again = await manager.post(f"{PATH}/add", data={"new": "anna@customer.example", "new_reason": "bounced"})
    assert again.headers["location"] == f"{PATH}?done=known"
    await room.ask("anna")
    await room.work()
    assert await room.state("anna") == ("suppressed", Reason.OPTED_OUT)

    found = (await manager.post(PATH, data={"whom": "ANNA@customer.example"})).text
    assert "is not written to" in found
    assert 'entered by hand<br><span class="muted small">Vera Viewer' in found
    form = entry_form(found)
    refused = await manager.post(f"{PATH}/lift", data=form | {"grounds": "works_again"})
    assert refused.status_code == 422
    assert (await manager.post(f"{PATH}/lift", data=form | {"grounds": "agreed"})).status_code == 422
    lifted = await manager.post(f"{PATH}/lift", data=form | {"grounds": "mistake"})
    assert lifted.headers["location"] == f"{PATH}?done=lifted"
    assert (await manager.post(f"{PATH}/lift", data=form | {"grounds": "mistake"})).status_code == 409
    assert "not on the list" in (await manager.post(PATH, data={"whom": "anna@customer.example"})).text
    past = (await manager.get(f"{PATH}?lifted=true")).text
    assert "It was typed in wrongly" in past
    await room.ask("again", snapshot=snapshot("anna"), survey_id=survey_id("again"))
    await room.work()
    assert (await room.state("again"))[0] == "handed_over"
    audit = await room.fetch(
        "select action, subject, detail::text from access.audit where action like 'supp%'"
    )
    assert [row["action"] for row in audit] == ["suppressions.entered"] * 2 + ["suppressions.lifted"]
    assert not any("anna" in " ".join(row) for row in audit)


async def test_an_entry_may_be_made_and_taken_off_twice_in_one_instant(room: MailRoom, site: Site) -> None:
    manager = await somebody(site, Role.MANAGER)
    for _ in range(2):
        await manager.post(f"{PATH}/add", data={"new": "anna@customer.example", "new_reason": "bounced"})
        form = entry_form((await manager.get(PATH)).text)
        lifted = await manager.post(f"{PATH}/lift", data=form | {"grounds": "works_again"})
        assert lifted.status_code == 303
    assert await room.fetch("select * from suppressions") == []


@pytest.mark.parametrize(("days", "accepted"), [(-1, False), (0, True), (2, True), (3, False)])
async def test_an_address_that_said_stop_is_written_to_again_from_a_day_between_the_stop_and_today(
    room: MailRoom, site: Site, clock: FixedClock, days: int, accepted: bool
) -> None:
    manager = await somebody(site, Role.MANAGER)
    await manager.post(f"{PATH}/add", data={"new": "anna@customer.example", "new_reason": "opted_out"})
    form = entry_form((await manager.get(PATH)).text)
    clock.advance(timedelta(days=2))
    agreed = (NOW + timedelta(days=days)).date().isoformat()
    answer = await manager.post(f"{PATH}/lift", data=form | {"grounds": "agreed", "agreed_on": agreed})
    assert answer.status_code == (303 if accepted else 422)
    left = await room.fetch("select * from suppressions")
    assert bool(left) is not accepted
    if accepted:
        [past] = await room.fetch("select * from lifted_suppressions")
        assert past["noted_at"] <= past["agreed_at"] <= past["lifted_at"]


async def test_a_list_is_read_in_with_each_bad_line_named_and_given_away_without_addresses(
    room: MailRoom, site: Site
) -> None:
    manager = await somebody(site, Role.MANAGER)
    content = "email,reason\nanna@customer.example,bounced\nnobody\n+46701740605,\nbeata@customer.example,\n"
    file = {"file": ("list.csv", content, "text/csv")}
    fields = {"source": "mailchimp", "list_reason": "opted_out"}
    checked = (await manager.post(f"{PATH}/import", data=fields | {"check": "yes"}, files=file)).text
    assert "2 lines can be used, 2 cannot. Nothing was changed." in checked
    assert await room.fetch("select * from suppressions") == []
    taken = (await manager.post(f"{PATH}/import", data=fields, files=file)).text
    assert "Line 3: email: not one plain address" in taken
    assert "2 added, 0 known before" in taken
    assert "0 added, 2 known before" in (await manager.post(f"{PATH}/import", data=fields, files=file)).text

    export = await manager.get(f"{PATH}/export")
    assert export.headers["content-type"].startswith("text/csv")
    assert "customer.example" not in export.text
    rows = list(csv.DictReader(export.text.removeprefix("\ufeff").splitlines()))
    assert [(row["kind"], row["source"], row["channel"]) for row in rows] == [
        ("address", "mailchimp", "email")
    ] * 2
    back = {"file": ("out.csv", export.content, "text/csv")}
    assert "0 added, 2 known before" in (await manager.post(f"{PATH}/import", data=fields, files=back)).text
    filtered = (await manager.get(f"{PATH}?reason=bounced&reach=email")).text
    assert filtered.count('data-label="Since"') == 1


@pytest.mark.parametrize(
    ("fields", "content", "words"),
    [
        ({}, b"", "Choose a file."),
        ({}, b"email\n\xff\n", "It is no text in UTF-8"),
        ({}, b"x" * 1_000_001, "It is larger than 1 MB"),
        ({"source": "Anna Berg"}, b"email\n", "nobody&#39;s name"),
        ({"list_reason": "erased"}, b"email\n", "People are erased in the directory."),
        ({"list_reason": "tired"}, b"email\n", "Choose a reason."),
    ],
    ids=["none", "latin", "large", "name", "erased", "word"],
)
async def test_a_list_that_cannot_be_read_in_says_why_beside_the_field(
    room: MailRoom, site: Site, fields: dict[str, str], content: bytes, words: str
) -> None:
    manager = await somebody(site, Role.MANAGER)
    data = {"source": "mailchimp", "list_reason": "opted_out"} | fields
    answer = await manager.post(f"{PATH}/import", data=data, files={"file": ("l.csv", content, "text/csv")})
    assert answer.status_code == 422
    assert words in answer.text
    assert await room.fetch("select * from suppressions") == []


async def test_the_list_names_people_links_them_and_goes_on_where_a_page_ends(
    room: MailRoom, site: Site
) -> None:
    await room.ask("anna")
    await room.work()
    await room.run(
        "insert into suppressions (kind, subject, programme, reason, via, contact_id, noted_at, channel) "
        "select 'address', address_hash, '', 'bounced', 'smtp', contact_id, $1::timestamptz, 'email' "
        "from messages union all select 'contact', contact_id::text, programme, 'opted_out', 'page', "
        "contact_id, $1::timestamptz, null from messages",
        NOW,
    )
    await room.run(
        "insert into suppressions (kind, subject, reason, via, noted_at) "
        "select 'address', md5(n::text), 'opted_out', 'old', $1::timestamptz from generate_series(1, 50) n",
        NOW - timedelta(days=1),
    )
    rep = await somebody(site, Role.REP)
    first = (await rep.get(PATH)).text
    assert first.count('data-label="Since"') == 25
    assert first.count(f"/directory/contacts/{contact_id('anna')}") == 2
    assert first.count("Anna Öberg") == 2
    assert "anna@customer.example" in first
    assert "Take off the list" not in first, "a rep looks, a manager changes"
    seen, page = 25, first
    while more := re.search(r'href="([^"]+after=[^"]+)">Older', page):
        page = (await rep.get(more[1].replace("&amp;", "&"))).text
        seen += page.count('data-label="Since"')
    assert seen == 52
    assert (await rep.get(f"{PATH}?after=x")).status_code == 422
    assert (await rep.post(f"{PATH}/add", data={"new": "a@b.example"})).status_code == 403
    assert (await rep.get(f"{PATH}/export")).status_code == 403
    assert (await rep.post(PATH, data={"whom": "anna"})).status_code == 422


@pytest.mark.requirement("R57")
async def test_whoever_was_erased_stays_even_where_something_else_was_noted_before(
    room: MailRoom, site: Site
) -> None:
    manager = await somebody(site, Role.MANAGER)
    await room.ask("anna")
    await room.work()
    for reason in ("opted_out", "bounced"):
        await manager.post(f"{PATH}/add", data={"new": "anna@customer.example", "new_reason": reason})
        if reason == "opted_out":
            form = entry_form((await manager.get(PATH)).text)
            await manager.post(f"{PATH}/lift", data=form | {"grounds": "mistake"})
    await room.tell(ContactErased(contact_id=str(contact_id("anna")), version=3, erased_at=NOW))
    [row] = await room.fetch("select reason, via, noted_by, contact_id from suppressions")
    assert tuple(row) == ("erased", "erasure", None, None)
    assert await room.fetch("select * from lifted_suppressions") == []
    assert "Take off the list" not in (await manager.get(PATH)).text
