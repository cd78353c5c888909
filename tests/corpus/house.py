"""Traces played over real HTTP against the real house: one mail each, all on one line of time.

Each trace has a person of its own at a company of its own. All are asked at the same moment; from then on
the steps of all traces are taken in order, business time standing where the step says, and the house settles
in between. What came of it is read from the books of collector, scoring, alerts and dispatch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import httpx

from services.collector.domain.agents import HAND
from services.collector.pages.fields import HONEYPOT
from tests.corpus.traces import Actor, Link, Sending, Step, Trace
from tests.support.house import House, someone
from tests.support.postbox import Mail
from tests.support.serving import served

PAUSE = timedelta(seconds=5)
"""The house settles where nobody acts for so long."""

OWNER = "rita@nordlicht.example"
LOGO = "/static/mark.svg"
AFTERWARDS = timedelta(hours=1)
_OWN = re.compile(r'<(?:link rel="stylesheet" href|script src)="(/s/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one trace, as four services tell it.

    Attributes:
        answers: Versions that the collector stored.
        state: `counted`, `held`, or empty while nothing was announced.
        score: Of the version that stands, with its evidence.
        announced: How often it was said to count, at whatever time.
        scored: The score that counts in scoring.
        voice: The state of its voice in a ticket; `unconfirmed`: of its place in the rep's inbox.
        stopped: Whether its reader gets no more mails.
    """

    answers: int
    state: str
    score: int | None
    evidence: tuple[str, ...]
    announced: int
    scored: int | None
    voice: str
    unconfirmed: str
    stopped: bool

    @property
    def ends(self) -> str:
        """In the words of the traces."""
        return self.state or "nothing"


@dataclass(slots=True)
class Stage:
    """A house on which traces are played."""

    house: House
    client: httpx.AsyncClient
    mails: Sequence[Mail]
    began: datetime
    _pages: dict[tuple[int, str, Link], httpx.Response] = field(default_factory=dict)

    async def play(self, traces: Sequence[Trace]) -> None:
        """Take all steps of all traces in order of time, then let everything settle."""
        line = sorted(
            ((step.at, number, step) for number, trace in enumerate(traces) for step in trace.steps),
            key=lambda one: one[:2],
        )
        settled = self.began
        for at, number, step in line:
            moment = self.began + timedelta(seconds=at)
            if moment - settled >= PAUSE:
                await self.house.until(moment)
                settled = moment
            self.house.clock.set(moment)
            await self._take(number, step, traces[number].cast[step.by])
        await self.house.until(self.house.clock.now() + AFTERWARDS)

    async def _take(self, number: int, step: Step, actor: Actor) -> None:
        headers = {
            "user-agent": actor.agent, "accept": "text/html",
            "x-forwarded-for": _address(number, actor.place),
        }  # fmt: skip
        path = self._path(number, step.link)
        match step.do:
            case "head":
                await self.client.head(path, headers=headers)
            case "get":
                self._pages[number, step.by, step.link] = await self.client.get(path, headers=headers)
            case "open":
                await self._open(number, step, path, headers, actor)
            case "one_click":
                data = {"List-Unsubscribe": "One-Click"}
                assert (await self.client.post(path, data=data, headers=headers)).status_code == 200
            case "send":
                await self._send(number, step, headers, actor)
            case unknown:
                raise ValueError(unknown)

    async def _open(
        self, number: int, step: Step, path: str, headers: Mapping[str, str], actor: Actor
    ) -> None:
        page = await self.client.get(path, headers=headers, follow_redirects=True)
        self._pages[number, step.by, step.link] = page
        await self._load(page, headers, actor)

    async def _load(self, page: httpx.Response, headers: Mapping[str, str], actor: Actor) -> None:
        """What a browser loads for a page."""
        if actor.styles:
            for own in _OWN.findall(page.text):
                assert (await self.client.get(unescape(own), headers=headers)).status_code == 200

    async def _send(self, number: int, step: Step, headers: Mapping[str, str], actor: Actor) -> None:
        page = self._pages[number, step.by, step.link]
        if 'name="nonce"' not in page.text:  # a page without a form has no button
            return
        path = self._path(number, "page")
        data = _filled(page.text, step.sending, actor)
        sent = await self.client.post(path, data=data, headers=headers)
        assert sent.status_code in (303, 409, 422), (step, sent.status_code, sent.text)
        if sent.is_redirect:
            if actor.styles:
                sent = await self.client.get(sent.headers["location"], headers=headers)
                await self._load(sent, headers, actor)
            return
        self._pages[number, step.by, step.link] = sent
        await self._load(sent, headers, actor)

    def _path(self, number: int, link: Link) -> str:
        mail = self.mails[number]
        match link:
            case int():
                return mail.scores[link]
            case "edit":
                return f"{mail.survey}?edit=1"
            case "trap":
                return f"{mail.survey}/trap"
            case "stop":
                return mail.stop
            case "image":
                return LOGO
            case _:
                return mail.survey

    async def outcomes(self) -> list[Outcome]:
        """What came of each trace, by the books of the services."""
        tokens = self.house.service("collector").platform.tokens
        surveys = []
        for mail in self.mails:
            verified = tokens.verify("answer", mail.survey.removeprefix("/s/"))
            assert verified is not None
            surveys.append(verified.subject)
        found = await self.house.admin.fetch(_OUTCOMES, surveys)
        rows: dict[UUID, Any] = {row["survey_id"]: row for row in found}
        return [_outcome(rows[survey]) for survey in surveys]


_OUTCOMES = """
select s.survey_id, s.contact_id, coalesce(r.state, '') as state, a.scores, a.evidence,
    (select count(*) from collector.answers n where n.survey_id = s.survey_id) as answers,
    (select count(*) from collector.outbox o
        where convert_from(o.value, 'UTF8')::jsonb ->> 'survey_id' = s.survey_id::text
        and o.headers ~ 'response\\.(submitted|amended|released)') as announced,
    (select f.nps from scoring.answer_facts f
        where f.survey_id = s.survey_id and f.state = 'counted') as scored,
    coalesce((select v.state from alerts.voices v where v.survey_id = s.survey_id), '') as voice,
    coalesce((select u.state from alerts.unconfirmed u join alerts.answers n using (response_id)
        where n.survey_id = s.survey_id), '') as unconfirmed,
    exists (select from dispatch.suppressions d where d.contact_id = s.contact_id) as stopped
from collector.surveys s
left join collector.responses r using (survey_id)
left join collector.answers a on a.survey_id = s.survey_id and a.version = r.announced
where s.survey_id = any($1::uuid[])
"""


def _outcome(row: Mapping[str, Any]) -> Outcome:
    scores = json.loads(row["scores"]) if row["scores"] else []
    return Outcome(
        answers=row["answers"],
        state="" if row["state"] == "pending" else row["state"],
        score=scores[0][2] if scores else None,
        evidence=tuple(row["evidence"] or ()),
        announced=row["announced"],
        scored=row["scored"],
        voice=row["voice"],
        unconfirmed=row["unconfirmed"],
        stopped=row["stopped"],
    )


async def perform(house: House, traces: Sequence[Trace]) -> list[Outcome]:
    """Ask a person for each trace, play all of them, and say what came of each."""
    mails = await _ask(house, len(traces))
    began = house.clock.now()
    async with served(house) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:
        stage = Stage(house, client, mails, began)
        await stage.play(traces)
        return await stage.outcomes()


async def _ask(house: House, many: int) -> list[Mail]:
    """One survey to one person at each of `many` companies, all handed over at one moment."""
    for number in range(many):
        await house.tell(
            "contract.renewal_date_set",
            contact=someone("ana", f"c{number}", locale="en", zone="Europe/London", persona="decision_maker"),
            account={"id": f"c{number}", "name": f"Company {number}", "owner": OWNER},
            subject={"kind": "contract", "id": f"contract-{number}"},
            renewal_on=date(2026, 5, 15),
        )
    await house.settle()
    while not (found := [mail for mail in house.mails() if mail.scores]):
        due = await house.next_due()
        assert due is not None, "nobody is asked"
        await house.until(due)
    assert len(found) == many
    by_address = {mail.to: mail for mail in found}
    return [by_address[f"ana@c{number}.example"] for number in range(many)]


def _filled(html: str, sending: Sending, actor: Actor) -> dict[str, str]:
    """The page's form: hidden fields, what is chosen already, and what is sent in their place."""
    fields = {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
    }
    fields |= dict(re.findall(r'<input type="radio" name="([^"]+)" value="([^"]+)"[^>]* checked', html))
    if sending.score is not None:
        fields["q.nps"] = str(sending.score)
    if sending.words:
        fields[_textarea(int(fields.get("q.nps", "0")))] = sending.words
    fields[HAND] = actor.hand
    if sending.honeypot:
        fields[HONEYPOT] = "yes"
    if sending.nonce == "none":
        del fields["nonce"]
    elif sending.nonce == "forged":
        fields["nonce"] = "AAAA" + fields["nonce"][4:]
    return fields


def _textarea(score: int) -> str:
    return "q.why_promoter" if score > 8 else "q.why_passive" if score > 6 else "q.why_detractor"


def _address(number: int, place: str) -> str:
    """An address of its own for each place of each trace."""
    places = ("office", "home", "mobile", "mobile2", "cloud", "cloud2", "cloud3")
    return f"10.{number // 250}.{number % 250}.{places.index(place) + 1}"
