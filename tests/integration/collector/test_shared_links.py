"""Links without an invitation: anybody may answer, once, and may say who they are."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from shared.contracts.directory import AccountChanged, ContactChanged, ContactErased
from shared.contracts.model import Channel, Payload, Person, Tier
from shared.contracts.responses import (
    Answered,
    Mood,
    ResponseAmended,
    ResponseHeld,
    ResponseSubmitted,
    ResponseWithdrawn,
)
from shared.contracts.surveys import CloseTheLoop, SurveyShared
from shared.people import contact_of_address
from shared.runtime.ids import derive
from shared.security.roles import Role
from tests.support.collector import CES, Collector, contact_id, send, snapshot
from tests.support.score_pages import access_to, signed_in

pytestmark = [pytest.mark.requirement("R52"), pytest.mark.timeout(60)]

LINK = derive("link", 1)
MAIL = "mia@acme.example"


def link(collector: Collector, **changes: object) -> SurveyShared:
    """A link to a CES survey in a newsletter."""
    now = collector.clock.now()
    known = snapshot(
        0, contact_id=str(LINK), account_id=None, account_name="", tier=None, channel=Channel.SHARED_LINK,
        context={"link": "newsletter"},
    )  # fmt: skip
    values: dict[str, object] = {
        "link_id": str(LINK), "label": "newsletter", "form": CES, "shared_at": now,
        "snapshot": known,
        "closes_at": now + timedelta(days=90), "close_the_loop": CloseTheLoop(),
    }  # fmt: skip
    return SurveyShared.model_validate(values | changes)


def address(collector: Collector) -> str:
    return f"/s/open/{collector.tokens.sign('shared', LINK)}"


async def come(client: httpx.AsyncClient, collector: Collector) -> tuple[str, httpx.Response]:
    """Open the link; the path of the survey it leads to, and its page."""
    led = await client.get(address(collector))
    assert led.status_code == 303
    path = led.headers["location"]
    return path, await client.get(path)


async def answer(
    client: httpx.AsyncClient, collector: Collector, score: int, who: str = ""
) -> httpx.Response:
    path, page = await come(client, collector)
    collector.wait(4)
    return await send(client, page, path, {"q.ces": str(score), "who": who})


async def answer_anew(
    client: httpx.AsyncClient, collector: Collector, fields: dict[str, str]
) -> httpx.Response:
    """Come again, choose to change the answer and send another one."""
    path, _ = await come(client, collector)
    edit = await client.get(f"{path}?edit=1")
    collector.wait(4)
    return await send(client, edit, path, fields)


async def by(collector: Collector, where: str, score: int, who: str = "") -> list[Payload]:
    """Answer with another browser, at an address; what is told then."""
    async with collector.client(where) as client:
        await answer(client, collector, score, who)
    return await settled(collector)


async def settled(collector: Collector) -> list[Payload]:
    collector.wait(60)
    return await collector.settle()


async def knows_mia(collector: Collector) -> None:
    """Let the directory tell of Mia, who works at Acme, and a link be shared."""
    async with collector.db.begin() as tx:
        (sealed,) = await collector.sealer.seal(
            tx.conn, [(contact_id(1), Person(name="Mia Berg", email=MAIL))]
        )
    account = str(derive("account", 1))
    await collector.feed(
        AccountChanged(
            account_id=account, version=3, name="Acme", tier=Tier.KEY, owner="maria@northwind.example"
        ),
        ContactChanged(
            contact_id=str(contact_id(1)), version=2, account_id=account, person=sealed, external_id="u-1"
        ),
        link(collector),
    )


async def test_an_answer_of_nobody_in_particular_counts_and_opens_no_ticket(collector: Collector) -> None:
    await collector.feed(link(collector))
    async with collector.client() as client:
        done = await answer(client, collector, 1)
    assert done.status_code == 303

    (said,) = await settled(collector)

    assert isinstance(said, ResponseSubmitted)
    assert (said.snapshot.channel, said.snapshot.account_id, said.snapshot.owner) == ("shared_link", None, "")
    assert said.snapshot.context == {"link": "newsletter"}
    assert (said.mood, said.close_the_loop.ticket, said.person) == (Mood.UNHAPPY, False, "")


async def test_the_same_browser_votes_once_and_may_change_its_mind(collector: Collector) -> None:
    await collector.feed(link(collector))
    async with collector.client() as client:
        await answer(client, collector, 7)
        first = await settled(collector)
        _, page = await come(client, collector)
        assert "7" in page.text
        await answer_anew(client, collector, {"q.ces": "5"})
        then = await settled(collector)
    assert [type(one) for one in (*first, *then)] == [ResponseSubmitted, ResponseAmended]


async def test_two_browsers_are_two_people(collector: Collector) -> None:
    await collector.feed(link(collector))
    for where in ("10.0.0.1", "10.0.0.2"):
        async with collector.client(where) as client:
            await answer(client, collector, 7)
    said = await settled(collector)
    assert [type(one) for one in said] == [ResponseSubmitted] * 2
    assert len({one.survey_id for one in said if isinstance(one, Answered)}) == 2


async def test_an_address_finds_the_contact_with_company_and_owner(collector: Collector) -> None:
    await knows_mia(collector)
    async with collector.client() as client:
        done = await answer(client, collector, 1, " MIA@acme.example ")
        thanks = await client.get(done.headers["location"])
    # Who typed an address has not proven that it is theirs.
    assert "Mia" not in thanks.text
    assert "Acme" not in thanks.text

    (said,) = await settled(collector)

    assert isinstance(said, ResponseSubmitted)
    assert said.snapshot.contact_id == str(contact_id(1))
    assert (said.snapshot.account_name, said.snapshot.tier) == ("Acme", Tier.KEY)
    assert said.snapshot.owner == "maria@northwind.example"
    assert said.close_the_loop.ticket
    async with collector.db.read() as conn:
        (who,) = await collector.sealer.open(conn, [(contact_id(1), said.person)], Person)
    assert who
    assert who.email == MAIL


async def test_an_address_that_nobody_knows_makes_the_contact_the_directory_would_make(
    collector: Collector,
) -> None:
    await collector.feed(link(collector))
    async with collector.client() as client:
        await answer(client, collector, 2, "new@beta.example")

    (said,) = await settled(collector)

    made = contact_of_address(collector.sealer.blind("email", "new@beta.example"))
    assert isinstance(said, ResponseSubmitted)
    assert (said.snapshot.contact_id, said.snapshot.account_id) == (str(made), None)
    assert said.close_the_loop.ticket
    async with collector.db.read() as conn:
        (who,) = await collector.sealer.open(conn, [(made, said.person)], Person)
    assert who == Person(email="new@beta.example")


async def test_who_says_later_who_they_are_is_counted_once(collector: Collector) -> None:
    await knows_mia(collector)
    async with collector.client() as client:
        await answer(client, collector, 2)
        first = await settled(collector)
        _, thanks = await come(client, collector)
        assert "#who" in thanks.text
        await answer_anew(client, collector, {"q.ces": "2", "who": MAIL})
        then = await settled(collector)
        _, again = await come(client, collector)
    assert "#who" not in again.text
    assert [type(one) for one in first] == [ResponseSubmitted]
    assert sorted(type(one).__name__ for one in then) == ["ResponseSubmitted", "ResponseWithdrawn"]
    withdrawn = next(one for one in then if isinstance(one, ResponseWithdrawn))
    submitted = next(one for one in then if isinstance(one, ResponseSubmitted))
    assert withdrawn.reason == "answered_again"
    assert withdrawn.response_id == first[0].response_id  # type: ignore[attr-defined] # a response
    assert submitted.snapshot.contact_id == str(contact_id(1))
    assert await _states(collector) == {"counted": 1, "withdrawn": 1}


async def test_of_one_persons_answers_by_two_browsers_the_later_counts(collector: Collector) -> None:
    await knows_mia(collector)
    await by(collector, "10.0.0.1", 7, MAIL)
    await by(collector, "10.0.0.2", 3, MAIL)
    await settled(collector)
    assert await _states(collector) == {"counted": 1, "withdrawn": 1}
    counted = [one for one in await collector.events() if isinstance(one, ResponseSubmitted)]
    assert counted[-1].primary_score.value == 3


async def test_a_machine_that_uses_somebodys_address_replaces_nothing(collector: Collector) -> None:
    await knows_mia(collector)
    await by(collector, "10.0.0.1", 7, MAIL)
    async with collector.client("10.0.0.2") as bot:
        path, page = await come(bot, collector)
        collector.wait(4)
        await send(bot, page, path, {"q.ces": "1", "who": MAIL, "leave_empty": "x"})
    (said,) = await settled(collector)
    assert isinstance(said, ResponseHeld)
    assert await _states(collector) == {"counted": 1, "held": 1}


async def test_a_slip_in_the_address_loses_no_answer(collector: Collector) -> None:
    await collector.feed(link(collector))
    async with collector.client() as client:
        page = await answer(client, collector, 6, "mia@acme")
    assert page.status_code == 422
    assert "This is not an e-mail address" in page.text
    assert 'value="mia@acme"' in page.text
    (said,) = await settled(collector)
    assert isinstance(said, ResponseSubmitted)


async def test_a_withdrawn_link_takes_nothing_any_more(collector: Collector) -> None:
    shared = link(collector)
    await collector.feed(shared)
    async with collector.client() as client:
        await answer(client, collector, 6)
        path, _ = await come(client, collector)
        page = await client.get(f"{path}?edit=1")
        await collector.feed(
            shared.model_copy(update={"version": 2, "withdrawn_at": collector.clock.now()}), shared
        )
        collector.wait(4)
        late = await send(client, page, path, {"q.ces": "1"})
    async with collector.client("10.0.0.9") as stranger:
        _, closed = await come(stranger, collector)
    assert [late.status_code, closed.status_code] == [410, 410]
    assert "has ended the survey earlier than planned" in closed.text
    assert "Your answer arrived" not in closed.text
    assert "Your answer arrived and stays as it is" in late.text
    # Nobody knows who they are, so nobody promises to get in touch.
    assert "Please contact me" not in late.text
    (said,) = await settled(collector)
    assert isinstance(said, ResponseSubmitted)
    assert said.primary_score.value == 6


async def test_whoever_looks_after_links_sees_what_came_of_each(collector: Collector) -> None:
    shared = link(collector, shared_by="CLI")
    await collector.feed(shared)
    await by(collector, "10.0.0.1", 6)
    async with collector.client("10.0.0.2") as bot:
        path, page = await come(bot, collector)
        collector.wait(4)
        await send(bot, page, path, {"q.ces": "1", "leave_empty": "x"})
    await settled(collector)
    token = await signed_in(access_to(collector.db, collector.clock), Role.REP)
    async with collector.client() as rep:
        rep.cookies.set("afterword", token)
        text = " ".join((await rep.get("/answers/links")).text.split())
        assert "Getting started" in text
        assert "the command line" in text
        assert ">1<br>" in text
        assert "and 1 held back" in text
        assert address(collector) in text
        assert "/programmes/links/" not in text, "a rep takes no link back"
        gone = {"version": 2, "withdrawn_at": collector.clock.now(), "reason": "misused"}
        await collector.feed(shared.model_copy(update=gone))
        async with collector.client("10.0.0.9") as stranger:
            await come(stranger, collector)
            await stranger.head((await stranger.get(address(collector))).headers["location"])
        text = " ".join((await rep.get("/answers/links")).text.split())
    assert "was misused" in text
    assert '<td class="n" data-label="Came too late">1</td>' in text
    assert address(collector) not in text
    async with collector.db.read() as conn:
        refused = await conn.fetchrow("select why, times from link_refusals")
    assert refused is not None
    assert tuple(refused) == ("withdrawn", 1), "a HEAD is nobody who would answer"


async def test_a_link_whose_time_is_over_says_until_when(collector: Collector) -> None:
    await collector.feed(link(collector))
    collector.wait(91 * 86_400)
    async with collector.client() as late:
        _, closed = await come(late, collector)
    assert closed.status_code == 410
    assert "Answers could be given until 1 June 2026" in closed.text
    async with collector.db.read() as conn:
        assert await conn.fetchval("select why from link_refusals") == "closed"


async def test_looking_leaves_no_survey_behind_and_a_forged_link_leads_nowhere(collector: Collector) -> None:
    await collector.feed(link(collector))
    async with collector.client() as client:
        await come(client, collector)
        led = await client.head(f"{address(collector)}?score=9")
        assert led.headers["location"].endswith("?score=9")
        assert "httponly" in led.headers["set-cookie"].lower()
        forged = await client.get(f"/s/open/{collector.tokens.sign('answer', LINK)}")
    assert forged.status_code == 404
    assert "scan the code or type the address again" in forged.text
    assert "your message" not in forged.text
    async with collector.db.read() as conn:
        assert await conn.fetchval("select count(*) from surveys") == 0


async def test_somebody_erased_stays_unknown(collector: Collector) -> None:
    await knows_mia(collector)
    await collector.feed(
        ContactErased(contact_id=str(contact_id(1)), version=3, erased_at=collector.clock.now())
    )
    async with collector.client() as client:
        await answer(client, collector, 6, MAIL)
    (said,) = await settled(collector)
    assert isinstance(said, ResponseSubmitted)
    # Nothing is left that leads from the address to the contact; the key of the id it makes is another's.
    assert UUID(said.snapshot.contact_id) != contact_id(1)


async def _states(collector: Collector) -> dict[str, int]:
    async with collector.db.read() as conn:
        return dict(await conn.fetch("select state, count(*) from responses group by 1"))
