"""A fortnight of a few customers, told the same way whatever dies on the way, and what must come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from shared.runtime import failpoints
from tests.support.books import Books, read_books
from tests.support.house import Fault, House, someone
from tests.support.postbox import Mail
from tests.support.rooms import SERVICES
from tests.support.state import skeleton_of
from tests.support.townsfolk import Rep, answer, hire, scan, send, stop, visit

OWNER = "rita@nordlicht.example"
ACME, BOLT = ({"id": key, "name": key.title(), "owner": OWNER} for key in ("acme", "bolt"))
DAY = timedelta(days=1)
CUSTOMERS = ("ana", "bo", "cy", "dee", "eli", "fay")


@dataclass(frozen=True)
class Ending:
    """How a story ended, in terms that a crash may not change.

    Attributes:
        events: ids of everything that each service ever announced, without the announcements of scores: how
            many changes are told together depends on when somebody looks.
        things: what each service knows, and how it stands.
        arrived: how often each survey mail arrived.
        people: who was asked, counted, or is cared for; holds even where a hand-over stayed uncertain.
        uncertain: mails, reminders too, of which nobody can say whether they went out.
    """

    books: Books
    events: Mapping[str, Counter[str]]
    things: Mapping[str, Counter[str]]
    arrived: Counter[str]
    people: Mapping[str, Any]
    uncertain: int
    hits: Mapping[str, int] = field(compare=False)
    rounds: int = field(compare=False)


def same(ending: Ending, undisturbed: Ending) -> None:
    """All that is known is the same, and nothing was announced that was not announced before."""
    for table, rows in undisturbed.things.items():
        assert ending.things[table] == rows, table
    for service, events in undisturbed.events.items():
        assert set(ending.events[service]) == set(events), service
    assert ending.books == undisturbed.books
    assert ending.arrived == undisturbed.arrived
    assert ending.people == undisturbed.people


async def live(house: House, *, failpoint: str = "", fault: Fault | None = None, dead: int = 0) -> Ending:
    """Tell the story, with failpoints armed and one fault about from its first event on.

    Args:
        house: where it happens.
        failpoint: what is armed, as `failpoints.arm` takes it.
        fault: what else goes wrong.
        dead: how many dead letters it must leave.
    """
    rita = await hire(house, "rita")
    failpoints.disarm()
    failpoints.arm(failpoint)
    house.rounds, house.fault = 0, fault
    try:
        await _live(house, rita)
        hits = failpoints.hits()
    finally:
        failpoints.disarm()
        house.fault = None
    return await _ending(house, hits, dead)


async def _live(house: House, rita: Rep) -> None:
    start = house.clock.now()
    await _happen(house)
    await house.until(start + DAY)
    await _first_day(house)
    await house.until(start + DAY + timedelta(hours=4))
    await _care(house, rita)
    await house.until(start + 2 * DAY)
    await _second_day(house)
    await house.until(start + 9 * DAY)
    await _after_reminders(house)
    await house.until(start + 10 * DAY)
    await _think_better(house)
    await _care(house, rita)
    await house.until(start + 35 * DAY)


async def _happen(house: House) -> None:
    """Six deliveries, one of them heard twice, by log and by webhook; and a ticket that is solved."""
    for number, name in enumerate(CUSTOMERS):
        company = ACME if number % 2 else BOLT
        facts: dict[str, Any] = {
            "contact": someone(name, company["id"]), "account": company,
            "subject": {"kind": "order", "id": f"order-{name}"},
        }  # fmt: skip
        if name in ("ana", "bo"):
            done = await house.call_webhook("order.delivered", id=f"hook-{name}", **facts)
            assert done.status_code == 200, done.text
        if name != "ana":
            await house.tell("order.delivered", id=f"log-{name}", **facts)
    solved: dict[str, Any] = {
        "contact": someone("gus", "bolt"),
        "account": BOLT,
        "subject": {"kind": "ticket", "id": "7"},
    }
    await house.tell("support_ticket.resolved", id="solved-7", **solved)


async def _first_day(house: House) -> None:
    """Ana and bo are cross, dee stops mails, a gateway reads eli's mail; cy and gus wait."""
    for name, score in (("ana", 1), ("bo", 2)):
        if mail := _newest(house, name):
            await answer(house, mail, score, why_low="Late and broken.")
    if mail := _newest(house, "dee"):
        await stop(house, mail)
    if mail := _newest(house, "eli"):
        await scan(house, mail)


async def _second_day(house: House) -> None:
    """Eli is a person after all."""
    if mail := _newest(house, "eli"):
        await answer(house, mail, 4)


async def _after_reminders(house: House) -> None:
    """Who has not answered does so now, but fay never does."""
    done = await _answered(house)
    for name, score in (("ana", 1), ("bo", 2), ("cy", 1), ("eli", 4), ("gus", 3)):
        mail = _newest(house, name)
        if mail and mail.survey not in done:
            await answer(house, mail, score)


async def _think_better(house: House) -> None:
    """Bo amends, and nobody has touched the ticket yet."""
    mail = _newest(house, "bo")
    if mail is None:
        return
    page = await visit(house, f"{mail.survey}?edit")
    house.clock.advance(timedelta(minutes=1))
    sent = await send(house, page, mail.survey, **{"q.csat": "4", "q.why_high": "They made it good."})
    assert sent.status_code == 303, sent.text
    await house.settle()


async def _care(house: House, rita: Rep) -> None:
    """Rita works on every ticket that a mail told her of, but forgets Bo's."""
    told = [mail for mail in house.mails(OWNER) if "Bo Berg" not in mail.text]
    for ticket in dict.fromkeys(mail.ticket for mail in told):
        for action in ("acknowledge", "contacted", "resolve"):
            page = await rita.see(ticket)
            if f'action="{ticket}/{action}"' not in page.text or "Reopen" in page.text:
                continue
            house.clock.advance(timedelta(minutes=5))
            typed = {"note": "Talked it over.", "via": "phone", "cause": "other"}
            await rita.press(ticket, action, **typed)


def _newest(house: House, name: str) -> Mail | None:
    asked = [mail for mail in house.mails() if mail.to.startswith(f"{name}@") and mail.scores]
    return asked[-1] if asked else None


async def _answered(house: House) -> set[str]:
    """Links of surveys that have a person's answer."""
    tokens = house.service("collector").platform.tokens
    rows = await house.admin.fetch("select survey_id from collector.responses where state = 'counted'")
    return {f"/s/{tokens.sign('answer', row[0])}" for row in rows}


async def _ending(house: House, hits: Mapping[str, int], dead: int) -> Ending:
    books = await read_books(house)
    books.assert_balanced()
    assert sum(books.dead.values()) == dead, books.dead
    events: dict[str, Counter[str]] = {}
    things: dict[str, Counter[str]] = {}
    for service in SERVICES:
        things |= await skeleton_of(house.admin, service)
        rows = await house.admin.fetch(
            f"select event_id from {service}.outbox where headers not like '%score.changed%'"
        )
        events[service] = Counter(row[0] for row in rows)
    arrived = Counter(mail.message_id for mail in house.mails() if mail.scores)
    uncertain = await house.admin.fetchval("select count(*) from dispatch.messages where state = 'uncertain'")
    return Ending(books, events, things, arrived, _people(books, house), uncertain, hits, house.rounds)


def _people(books: Books, house: House) -> dict[str, Any]:
    return {
        "asked": sorted({mail.to for mail in house.mails() if mail.scores}),
        "planned": books.trigger.planned,
        "requested": books.trigger.requested,
        "suppressed": books.trigger.suppressed,
        "scores": [(p.programme, p.n, p.score) for p in books.scoring.programmes],
        "answered": books.scoring.answered,
        "unhappy": books.alerts.unhappy,
        "alarmed": bool(house.mails(OWNER)),
        "messages": asdict(books.dispatch)["requested"],
    }
