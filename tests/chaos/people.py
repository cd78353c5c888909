"""Customers, mail gateways and reps of a campaign: they read what arrived in the sink and act on it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from demo.browser import Control, Form, _Reader
from demo.chance import Chance
from demo.mails import Mail
from demo.people import GATEWAY, PHONE
from shared.security.tokens import Tokens
from tests.chaos.backends import AGAIN_SECONDS, outcome_of
from tests.chaos.calendar import Calendar
from tests.chaos.gateway import Gateway
from tests.chaos.journal import Acted, Actor, Answered, Fetched, Journal, Outcome, Stopped
from tests.chaos.world import OWNERS, PEOPLE_PER_ACCOUNT, canary, contact_of

PATIENCE = 60
"""How often somebody tries again before giving up, half a second apart."""
READING = timedelta(hours=3)
"""Two steps of business time."""
_SHEET = re.compile(r'<link rel="stylesheet" href="(/s/[^"]+)"')


@dataclass(slots=True)
class Town:
    """What all of them need."""

    gateway: Gateway
    calendar: Calendar
    journal: Journal
    chance: Chance
    tokens: Tokens
    key: str
    reps: dict[str, UUID]
    counts: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    tickets: set[str] = field(default_factory=set)

    def count(self, what: str) -> None:
        """Count what people did."""
        self.counts[what] = self.counts.get(what, 0) + 1

    async def receive(self, mail: Mail) -> None:
        """Somebody gets a mail."""
        if mail.to in OWNERS:
            await Rep(self).receive(mail)
        elif mail.scores and contact_of(mail.to):
            number = self.seen[mail.token] = self.seen.get(mail.token, 0) + 1
            await Customer(self, mail, f"{mail.to}/{number}").receive()


@dataclass(slots=True)
class Customer:
    """One mail with its reader and the machines before the reader."""

    town: Town
    mail: Mail
    name: str

    async def receive(self) -> None:
        """First the gateway, then perhaps the person."""
        town, chance = self.town, self.town.chance
        account = int(contact_of(self.mail.to)[1:]) // PEOPLE_PER_ACCOUNT
        if chance.happens(0.15, "gateway", account):
            await self._scan(robot=chance.happens(0.4, "robot", account))
        await asyncio.sleep(4 * chance.share("delay", self.name))
        if chance.happens(0.04, "stop", self.name):
            await self._stop()
        elif self.mail.token not in town.answered and chance.happens(0.5, "answers", self.name):
            town.answered.add(self.mail.token)
            await self._answer(self._score("score"))
            if chance.happens(0.1, "amends", self.name):
                await asyncio.sleep(3)
                await self._answer(self._score("amended"))

    def _score(self, name: str) -> int:
        """Every third is unhappy."""
        scores = sorted(self.mail.scores)
        low = self.town.chance.happens(0.35, name, "low", self.name)
        half = len(scores) // 2
        return self.town.chance.pick(scores[:half] if low else scores[half:], name, self.name)

    @property
    def _survey(self) -> str:
        verified = self.town.tokens.verify("answer", self.mail.token)
        return str(verified.subject) if verified else ""

    async def _scan(self, *, robot: bool) -> None:
        """Open every link within a moment; a robot presses the buttons that it finds."""
        town = self.town
        async with town.calendar.moment(), _browser(town.gateway, "203.0.113.9", GATEWAY) as client:
            for link in (link for link in self.mail.links if link.startswith("http")):
                await self._fetch(client, Actor.MACHINE, "HEAD", link)
                page = await self._fetch(client, Actor.MACHINE, "GET", link)
                form = _survey_form(page) if robot and link in self.mail.scores.values() else None
                if form is not None:
                    score = next(score for score, one in self.mail.scores.items() if one == link)
                    await self._send(client, Actor.MACHINE, form, score)
            town.count("robots" if robot else "scans")

    async def _answer(self, score: int) -> None:
        """Open the page of a score, read, send; again as long as nobody said what became of it."""
        town = self.town
        seat = int(town.chance.share("seat", self.mail.to) * 250)
        async with _browser(town.gateway, f"198.51.100.{seat + 1}", PHONE) as client:
            for _ in range(3):
                page = await _patiently(
                    lambda: self._fetch(client, Actor.PERSON, "GET", self.mail.scores[score])
                )
                form = _survey_form(page)
                if page is None or form is None:
                    town.count("closed doors")
                    return
                for sheet in _SHEET.findall(page.text):
                    await _patiently(partial(self._load, client, sheet.replace("&amp;", "&")))
                read = await self._read()
                if town.chance.happens(0.1, "twice", self.name):
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._send(client, Actor.PERSON, form, score))
                status = await self._send_until_known(client, form, score, read)
                if status != httpx.codes.CONFLICT:  # the page was too old: open it anew
                    break
        town.count("answers")

    async def _send_until_known(
        self, client: httpx.AsyncClient, form: Form, score: int, read: datetime
    ) -> int:
        for _ in range(PATIENCE):
            status = await self._send(client, Actor.PERSON, form, score)
            if status is not None and outcome_of(status) is not Outcome.UNKNOWN:
                return status
            await asyncio.sleep(AGAIN_SECONDS)
            await self._wait_for(read)
        return 0

    async def _read(self) -> datetime:
        """Wait until business time went on, as somebody who reads and types; gives the instant of the end."""
        read = self.town.calendar.now() + READING
        await self._wait_for(read)
        return read

    async def _wait_for(self, instant: datetime) -> None:
        """Until no process is behind an instant: by one that is, a person would have answered in no time."""
        town = self.town
        for _ in range(200):
            await asyncio.sleep(0.1)
            if town.calendar.now() >= instant and await town.gateway.go_by("collector", instant):
                return

    async def _send(self, client: httpx.AsyncClient, by: Actor, form: Form, score: int) -> int | None:
        name = next(c.name for c in form.controls.values() if _is_scale(c))
        words = next((c.name for c in form.controls.values() if c.kind == "textarea"), None)
        said = f"{canary(int(contact_of(self.mail.to)[1:]))} says: because it was a {score}."
        typed = {name: str(score)} | ({words: said} if words else {})
        data = form.filled(**typed) | {"hand": "touched" if by is Actor.PERSON else ""}
        deed = Answered(by, self._survey, data["nonce"], score)
        op = self.town.journal.sent(deed)
        try:
            answer = await client.post(
                urlsplit(self.mail.scores[score]).path, data=data, headers={"Origin": str(client.base_url)}
            )
        except httpx.HTTPError:
            self.town.journal.ended(op, Outcome.UNKNOWN)
            return None
        self.town.journal.ended(op, outcome_of(answer.status_code), status=answer.status_code)
        return answer.status_code

    async def _fetch(
        self, client: httpx.AsyncClient, by: Actor, method: str, link: str
    ) -> httpx.Response | None:
        agent = str(client.headers["User-Agent"])
        kind = "stop" if "/u/" in link else "survey"
        op = self.town.journal.sent(Fetched(by, method, self._survey, kind, agent))
        try:
            answer = await client.request(method, link)
        except httpx.HTTPError:
            self.town.journal.ended(op, Outcome.UNKNOWN)
            return None
        self.town.journal.ended(op, outcome_of(answer.status_code), status=answer.status_code)
        return answer

    async def _load(self, client: httpx.AsyncClient, sheet: str) -> httpx.Response | None:
        """Get a style sheet, as every browser does for its reader."""
        try:
            return await client.get(sheet)
        except httpx.HTTPError:
            return None

    async def _stop(self) -> None:
        """Ask for no more mails: by the mail program's one click, or on the page."""
        link = next((link for link in self.mail.links if "/u/" in link), None)
        if link is None:
            return
        path = urlsplit(link).path
        known = self.town.tokens.verify("unsubscribe", path.rsplit("/", 1)[-1])
        contact = str(known.subject) if known else ""
        one_click = self.town.chance.happens(0.5, "one click", self.name)
        data = {"List-Unsubscribe": "One-Click"} if one_click else {"scope": "all"}
        async with _browser(self.town.gateway, "198.51.100.200", PHONE) as client:
            for _ in range(PATIENCE):
                op = self.town.journal.sent(Stopped(Actor.PERSON, contact, "", one_click))
                try:
                    answer = await client.post(path, data=data)
                except httpx.HTTPError:
                    self.town.journal.ended(op, Outcome.UNKNOWN)
                else:
                    outcome = outcome_of(answer.status_code)
                    self.town.journal.ended(op, outcome, status=answer.status_code)
                    if outcome is not Outcome.UNKNOWN:
                        break
                await asyncio.sleep(AGAIN_SECONDS)
        self.town.count("stops")


@dataclass(slots=True)
class Rep:
    """Works on a ticket from the first mail about it; one of five is too late, one of ten never comes."""

    town: Town

    async def receive(self, mail: Mail) -> None:
        """Take each ticket of a mail, speak with the customer, resolve it."""
        for link in mail.tickets:
            await self._care(link.rsplit("/", 1)[-1], mail.to)

    async def _care(self, ticket: str, by: str) -> None:
        if ticket in self.town.tickets:
            return
        self.town.tickets.add(ticket)
        name = f"ticket {len(self.town.tickets)}"
        if self.town.chance.happens(0.1, "never", name):
            return
        pause = 12.0 if self.town.chance.happens(0.2, "late", name) else 2.0
        for action in ("acknowledge", "contacted", "resolve"):
            await asyncio.sleep(pause * self.town.chance.share(action, name))
            await self._act(ticket, action, by)
        self.town.count("tickets")

    async def _act(self, ticket: str, action: str, by: str) -> None:
        wish = {"note": "Called, listened, agreed.", "via": "phone", "user_id": str(self.town.reps[by])}
        if action == "resolve":
            wish["cause"] = "delivery"
        headers = {"Authorization": f"Bearer {self.town.key}"}
        async with self.town.gateway.client(headers=headers) as client:
            for _ in range(PATIENCE):
                op = self.town.journal.sent(Acted(ticket, action))
                try:
                    answer = await client.post(f"/v1/tickets/{ticket}/{action}", json=wish)
                except httpx.HTTPError:
                    self.town.journal.ended(op, Outcome.UNKNOWN)
                else:
                    outcome = outcome_of(answer.status_code)
                    self.town.journal.ended(op, outcome, status=answer.status_code)
                    if outcome is not Outcome.UNKNOWN:
                        return
                await asyncio.sleep(AGAIN_SECONDS)


def _browser(gateway: Gateway, address: str, agent: str) -> httpx.AsyncClient:
    return gateway.client(headers={"User-Agent": agent, "X-Forwarded-For": address, "Accept": "text/html"})


def _survey_form(page: httpx.Response | None) -> Form | None:
    """The form with a scale, when the page has one."""
    if page is None or page.status_code != httpx.codes.OK:
        return None
    reader = _Reader()
    reader.feed(page.text)
    return next((f for f in reader.forms if any(map(_is_scale, f.controls.values()))), None)


async def _patiently(once: Callable[[], Awaitable[httpx.Response | None]]) -> httpx.Response | None:
    """Look again while the page cannot be had."""
    for _ in range(PATIENCE):
        page = await once()
        if page is not None and page.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            return page
        await asyncio.sleep(AGAIN_SECONDS)
    return None


def _is_scale(control: Control) -> bool:
    """Whether it is a row of scores: numbers, or yes and no."""
    return control.kind == "radio" and all(option.isdigit() for option in control.options)
