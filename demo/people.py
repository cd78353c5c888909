"""How customers, their mail gateways and the reps behave when a mail arrives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from demo.browser import Browser, Control, Form, Page
from demo.chance import Chance
from demo.mails import Mail
from demo.world import REPS, Account, Contact, Rep

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
)
GATEWAY = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"
OK = 200
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_WORDS = {
    "en": ("Took far too long.", "It does the job.", "Great people, quick answers."),
    "es": ("Tardó demasiado.", "Cumple con lo necesario.", "Gente excelente, respuestas rápidas."),
    "sv": ("Det tog alldeles för lång tid.", "Det fungerar.", "Fantastiskt team, snabba svar."),
}


class Action(Protocol):
    """Something a person does; gives what follows after reading and typing, if anything."""

    def __call__(self) -> Awaitable[Action | None]:
        """Do it."""
        ...


@dataclass
class Agenda:
    """What people mean to do, by time."""

    _planned: list[tuple[datetime, int, Action]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    def plan(self, at: datetime, action: Action) -> None:
        """Do something later."""
        heappush(self._planned, (at, next(self._order), action))

    @property
    def next_at(self) -> datetime | None:
        """When the next thing is to be done."""
        return self._planned[0][0] if self._planned else None

    def due(self, now: datetime) -> list[Action]:
        """What is to be done now."""
        actions = []
        while self._planned and self._planned[0][0] <= now:
            actions.append(heappop(self._planned)[2])
        return actions


@dataclass
class Tally:
    """What people and machines really did: the outside view that the product's books are held against."""

    answered: dict[str, list[int]] = field(default_factory=dict)
    amended: int = 0
    unsubscribed: int = 0
    gateway_requests: int = 0
    robot_posts: int = 0
    contacted: int = 0
    refused: list[str] = field(default_factory=list)


class Customers:
    """Everybody who gets surveys, and the gateways in front of them."""

    def __init__(self, chance: Chance, accounts: tuple[Account, ...], agenda: Agenda, tally: Tally) -> None:
        self._chance = chance
        self._agenda = agenda
        self._tally = tally
        self._by_address = {c.email: (a, c) for a in accounts for c in a.contacts}
        self._meaning_to: set[str] = set()

    def knows(self, mail: Mail) -> bool:
        """Whether the mail went to a customer."""
        return mail.to in self._by_address

    async def receive(self, mail: Mail, now: datetime) -> None:
        """A survey arrives: first the gateway, then perhaps the person."""
        account, contact = self._by_address[mail.to]
        if not mail.scores:
            return
        if account.gateway:
            await self._gateway(account, mail)
        name = (contact.id, mail.token)
        reminded = mail.token in self._meaning_to
        self._meaning_to.add(mail.token)
        if self._chance.happens(0.03, *name, "stop"):
            self._agenda.plan(now + 2 * _HOUR, lambda: self._unsubscribe(mail))
        elif mail.token not in self._tally.answered and self._chance.happens(
            0.25 if reminded else 0.5, *name, reminded
        ):
            delay = self._chance.between(_HOUR / 3, 60 * _HOUR, *name, "delay")
            self._agenda.plan(now + delay, lambda: self._answer(contact, mail, now + delay))

    async def _gateway(self, account: Account, mail: Mail) -> None:
        """Open every link within a second, follow redirects; a robot even presses the button it finds."""
        async with Browser("203.0.113.9", GATEWAY) as browser:
            for link in mail.links:
                if not link.startswith("http"):
                    continue
                await browser.head(link)
                page = await browser.get(link)
                self._tally.gateway_requests += 2
                if account.robot and link in mail.scores.values() and page.status == OK:
                    form = _survey_form(page)
                    if form is not None:
                        await browser.submit(page, form)
                        self._tally.robot_posts += 1

    async def _answer(self, contact: Contact, mail: Mail, at: datetime) -> Action | None:
        """Press a score button in the mail; a few think better of it a day later."""
        if mail.token in self._tally.answered:
            return None
        top = max(mail.scores)
        feel = contact.warmth + 0.35 * (self._chance.share(mail.token, "feel") - 0.5)
        score = max(min(mail.scores), min(top, round(feel * top + 0.08 * top)))
        if top == 1:  # yes or no: whoever was unhappy says whether the rep has mended it
            score = int(self._chance.happens(0.8, mail.token, "fixed"))

        def answered() -> None:
            self._tally.answered[mail.token] = [score]
            if self._chance.happens(0.06, mail.token, "amend"):
                better = min(top, score + max(1, top // 3))
                self._agenda.plan(at + _DAY, lambda: self._amend(contact, mail, better))

        return await self._open(contact, mail, score, answered)

    async def _amend(self, contact: Contact, mail: Mail, score: int) -> Action | None:
        def amended() -> None:
            self._tally.answered[mail.token].append(score)
            self._tally.amended += 1

        return await self._open(contact, mail, score, amended)

    async def _open(
        self, contact: Contact, mail: Mail, score: int, then: Callable[[], None]
    ) -> Action | None:
        """Open the page of a score button; what follows is to write a line and send."""
        seat = int(self._chance.share(contact.id, "address") * 250)
        browser = Browser(f"198.51.100.{seat + 1}", PHONE)
        page = await browser.get(mail.scores[score])
        form = _survey_form(page)
        if form is None:
            await browser.close()
            self._tally.refused.append(f"{page.status} on opening")
            return None

        async def send() -> None:
            share = score / max(mail.scores)
            line = _WORDS[contact.locale][0 if share < 0.55 else 1 if share < 0.85 else 2]
            field_ = next((c.name for c in form.controls.values() if c.kind == "textarea"), None)
            typed = {field_: line} if field_ else {}
            done = await browser.submit(page, form, **{_score_name(form): str(score)}, **typed)
            await browser.close()
            if done.status == OK:
                then()
            else:
                self._tally.refused.append(f"{done.status} on sending")

        return send

    async def _unsubscribe(self, mail: Mail) -> None:
        link = next((link for link in mail.links if "/u/" in link), None)
        if link is None:
            return
        async with Browser("198.51.100.200", PHONE) as browser:
            page = await browser.get(link)
            if page.forms:
                form = page.forms[-1]
                button = dict(form.buttons[:1])
                await browser.submit(page, form, **button)
                self._tally.unsubscribed += 1


class Desk:
    """The reps: told by mail, they work on the ticket's page."""

    def __init__(self, chance: Chance, agenda: Agenda, tally: Tally, password: str, url: str) -> None:
        self._chance = chance
        self._agenda = agenda
        self._tally = tally
        self._password = password
        self._url = url
        self._reps = {rep.email: rep for rep in REPS}
        self._taken: dict[str, datetime] = {}
        self._browsers: dict[str, Browser] = {}

    def knows(self, mail: Mail) -> bool:
        """Whether the mail went to one of us about a ticket."""
        return mail.to in self._reps and bool(mail.tickets)

    def receive(self, mail: Mail, now: datetime) -> None:
        """The first one who is told takes each ticket of a mail."""
        for link in mail.tickets:
            self._take(mail.to, link.rsplit("/", 1)[-1], now)

    def _take(self, to: str, ticket: str, now: datetime) -> None:
        """Plan the work on a ticket that nobody works on; the less diligent take their time."""
        if now < self._taken.get(ticket, now):
            return
        rep, chance = self._reps[to], self._chance
        in_time = chance.happens(rep.diligence, ticket, "in time")
        seen = chance.between(_HOUR / 2, 8 * _HOUR, ticket, "seen") if in_time else 26 * _HOUR
        spoken = seen + (
            chance.between(_HOUR, 14 * _HOUR, ticket, "spoken") if in_time
            else chance.between(2 * _HOUR, 40 * _HOUR, ticket, "late")
        )  # fmt: skip
        mended = spoken + chance.between(_DAY, 6 * _DAY, ticket, "mended")
        self._taken[ticket] = now + mended
        self._agenda.plan(now + seen, lambda: self._press(rep, ticket, "acknowledge"))
        self._agenda.plan(now + spoken, lambda: self._press(rep, ticket, "contact"))
        self._agenda.plan(now + mended, lambda: self._press(rep, ticket, "resolve"))

    async def _press(self, rep: Rep, ticket: str, action: str) -> None:
        """Open the ticket, press its button; nothing to press means that it is done already."""
        browser = self._browsers.setdefault(rep.email, Browser("192.0.2.10", PHONE))
        page = await browser.get(f"{self._url}/tickets/{ticket}")
        if any("password" in form.controls for form in page.forms):
            await sign_in(browser, self._url, rep.email, self._password)
            page = await browser.get(f"{self._url}/tickets/{ticket}")
        form = next((f for f in page.forms if f.action.rstrip("/").endswith(_ACTIONS[action])), None)
        if form is None:
            return
        done = await browser.submit(page, form, **_typed(form))
        if done.status != OK:
            self._tally.refused.append(f"{done.status} on {action}")
        self._tally.contacted += action == "contact"


_ACTIONS = {"acknowledge": "/acknowledge", "contact": "/contacted", "resolve": "/resolve"}


def _typed(form: Form) -> dict[str, str]:
    """What a rep chooses and writes: the first offered option, a line of text."""
    typed: dict[str, str] = {}
    for control in form.controls.values():
        if control.kind == "textarea" or (control.kind == "text" and not control.value):
            typed[control.name] = "Called, listened, agreed on next steps."
        elif control.options and not control.value and control.kind != "checkbox":
            typed[control.name] = next(option for option in control.options if option)
    return typed


async def sign_in(browser: Browser, url: str, email: str, password: str) -> Page:
    """Sign in on the page for it."""
    page = await browser.get(f"{url}/signin")
    form = next(f for f in page.forms if "password" in f.controls)
    return await browser.submit(page, form, email=email, password=password)


def _survey_form(page: Page) -> Form | None:
    return next((form for form in page.forms if any(map(_is_scale, form.controls.values()))), None)


def _score_name(form: Form) -> str:
    return next(c.name for c in form.controls.values() if _is_scale(c))


def _is_scale(control: Control) -> bool:
    """Whether it is a row of scores: numbers, or yes and no."""
    return control.kind == "radio" and all(option.isdigit() for option in control.options)
