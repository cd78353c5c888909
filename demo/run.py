"""Tells the story: starts Afterword, lets 90 days pass step by step, says what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from demo.backends import Backends, Helpdesk
from demo.browser import Browser
from demo.chance import Chance
from demo.kills import Killer
from demo.mails import Sink
from demo.patience import patiently
from demo.people import Action, Agenda, Customers, Desk, Tally
from demo.steps import StopWatch, Telling
from demo.story import DAYS, Happening, story
from demo.summary import show, summarise
from demo.supervisor import Afterword
from demo.world import ADMIN, REPS, Rep, customers

START = datetime(2026, 1, 12, 6, 0, tzinfo=UTC)
STEP = timedelta(hours=4)
READING = timedelta(seconds=45)
PASSWORD = "a long day in the north"  # noqa: S105 - of people who do not exist
FOLDER = Path(".demo")

console = Console()


@dataclass
class Company:
    """Everything that happens outside of Afterword."""

    told: list[Happening]
    backends: Backends
    helpdesk: Helpdesk
    customers: Customers
    desk: Desk
    agenda: Agenda
    tally: Tally
    sink: Sink

    def next_at(self) -> datetime | None:
        """When the company does something next."""
        moments = [self.told[0].at] if self.told else []
        if self.agenda.next_at is not None:
            moments.append(self.agenda.next_at)
        return min(moments, default=None)

    async def backends_tell(self, now: datetime) -> list[Happening]:
        """Backends tell what happened until now; gives their events."""
        events = self._told_by(("crm", "shop", "broken"), now)
        await self.backends.tell(events)
        return events

    async def helpdesk_tells(self, now: datetime) -> bool:
        """The helpdesk tells what happened until now, one after the other; whether anything did."""
        calls = self._told_by(("helpdesk", "forger"), now)
        for call in calls:
            await self.helpdesk.tell(call)
        return bool(calls)

    def _told_by(self, systems: tuple[str, ...], now: datetime) -> list[Happening]:
        due = [h for h in self.told if h.at <= now and h.by in systems]
        taken = {id(h) for h in due}
        self.told = [h for h in self.told if id(h) not in taken]
        return due

    async def read_mails(self, now: datetime) -> bool:
        """Customers, gateways and reps get what arrived; tells whether anything did."""
        mails = self.sink.new()
        for mail in mails:
            if self.desk.knows(mail):
                self.desk.receive(mail, now)
            elif self.customers.knows(mail):
                await self.customers.receive(mail, now)
        return bool(mails)

    async def act(self, now: datetime) -> list[Action]:
        """People do what they meant to do until now; gives what they do after reading."""
        return [then for action in self.agenda.due(now) if (then := await action()) is not None]


async def main() -> int:
    """Tell the whole story; 0 when every sum is right."""
    _leave_nothing_behind()
    if not os.environ.get("DEMO_KEEP"):  # noqa: TID251 - this is the root
        await Afterword(FOLDER, 0).wipe()
    port = int(os.environ.get("DEMO_PORT", "8700"))  # noqa: TID251 - this is the root
    console.print("[bold]Nordlicht[/bold], a company with 40 customers, lives with Afterword for 90 days.")
    async with Afterword(FOLDER, port) as afterword:
        watch = StopWatch(afterword.admin_dsn, afterword.noticed, digests=True)
        await watch.set(START)
        await afterword.ready()
        await _furnish(afterword)
        company = _company(afterword)
        seed = os.environ.get("DEMO_SEED", "1")  # noqa: TID251 - this is the root
        killer = Killer(afterword, Chance(seed), _count("DEMO_KILLS"))
        try:
            async with killer:
                await _live(company, watch)
        finally:
            await company.backends.close()
        summary = await summarise(afterword, company.tally, company.sink, company.helpdesk)
        await watch.run_on()
        await watch.close()
        (FOLDER / "summary.json").write_text(json.dumps(summary.facts, indent=2, default=str))
        show(console, summary, afterword)
        if not os.environ.get("DEMO_EXIT"):  # noqa: TID251 - this is the root
            await _stay(afterword)
    return 0 if summary.sound else 1


def _leave_nothing_behind() -> None:
    """To be told to stop, or to lose the terminal, ends all that was started, as Ctrl-C does."""
    story, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert story is not None  # noqa: S101 - called from within it
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, story.cancel)


def _count(name: str) -> int:
    return int(os.environ.get(name, "0"))  # noqa: TID251 - this is the root


def _company(afterword: Afterword) -> Company:
    chance = Chance("nordlicht")
    accounts = customers(chance)
    agenda, tally = Agenda(), Tally()
    return Company(
        told=story(chance, accounts, START + timedelta(hours=1)),
        backends=Backends(afterword.bootstrap),
        helpdesk=Helpdesk(afterword.url, afterword.zendesk_secret),
        customers=Customers(chance, accounts, agenda, tally),
        desk=Desk(chance, agenda, tally, PASSWORD, afterword.url),
        agenda=agenda,
        tally=tally,
        sink=Sink(afterword.mailbox),
    )


async def _live(company: Company, watch: StopWatch) -> None:
    """Let the days pass: to the next moment of company or product, then wait until all is done."""
    now, end = START, START + timedelta(days=DAYS)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[now]}"), TimeElapsedColumn()
    )
    with bar:
        days = bar.add_task("90 days", total=DAYS, now="")
        while now < end:
            moments = [m for m in (company.next_at(), await watch.next_due()) if m is not None]
            now = min(max(now + timedelta(minutes=1), _rounded_up(min(moments, default=end))), end)
            now = await _step(company, watch, now)
            answered = len(company.tally.answered)
            bar.update(days, completed=(now - START).days, now=f"{now:%a %d %b}  {answered} answers")


async def _step(company: Company, watch: StopWatch, now: datetime) -> datetime:
    """First what the product does by itself, then what backends and helpdesk tell, then what people do."""
    await watch.set(now)
    await _rest(company, watch, now)
    events = await company.backends_tell(now)
    if events:
        again = Telling([event.id for event in events], lambda: company.backends.tell(events))
        await _rest(company, watch, now, again)
    if await company.helpdesk_tells(now):
        await _rest(company, watch, now)
    follow_up = await company.act(now)
    if follow_up:
        now += READING
        await watch.set(now)
        await _rest(company, watch, now)
        for action in follow_up:
            await action()
    await _rest(company, watch, now)
    return now


async def _rest(company: Company, watch: StopWatch, now: datetime, heard: Telling | None = None) -> None:
    """Wait until all is done that is due, mails are read, and what came of that is done too."""
    await watch.quiet(now, heard=heard)
    while await company.read_mails(now):
        await watch.quiet(now)


def _rounded_up(at: datetime) -> datetime:
    """The end of the four hours in which a moment lies: what is near in time is told in one step."""
    steps = -((START - at) // STEP)
    return START + steps * STEP


async def _furnish(afterword: Afterword) -> None:
    """The first admin and the reps make their accounts; the admin says who the company is."""
    async with asyncio.TaskGroup() as tasks:
        for rep in (ADMIN, *REPS):
            tasks.create_task(_make_account(afterword, rep))
    await afterword.command(
        *("organisation", "set", "--name", "Nordlicht", "--zone", "Europe/Stockholm"),
        *("--sender-name", "Karin Åberg", "--sender-email", "karin@nordlicht.example"),
        *("--own-domain", "nordlicht.example", "--public-url", afterword.url),
    )


async def _make_account(afterword: Afterword, rep: Rep) -> None:
    link = await afterword.command("users", "invite", rep.email, "--role", rep.role, "--name", rep.name)
    url = re.search(r"https?://\S+", link)
    if url is None:
        raise RuntimeError(link)
    async with Browser("192.0.2.10", "demo") as browser:
        page = await browser.get(url.group())
        form = next(f for f in page.forms if any("password" in name for name in f.controls))
        typed = {name: PASSWORD for name in form.controls if "password" in name or name == "again"}
        await browser.submit(page, form, **typed)


async def _stay(afterword: Afterword) -> None:
    console.print("\nIt goes on running in real time. [bold]Ctrl-C[/bold] ends it.")
    with suppress(asyncio.CancelledError):
        await patiently(afterword.ready)
        await asyncio.Event().wait()


if __name__ == "__main__":
    shutil.get_terminal_size()
    try:
        sys.exit(asyncio.run(main()))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Stopped before the end; nothing is left running. [bold]make demo[/bold] begins anew.")
        sys.exit(130)
