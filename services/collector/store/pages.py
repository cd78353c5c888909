"""What a survey page shows, in one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.collector.domain.amend import SurveyState
from services.collector.domain.sharing import closes_at
from services.collector.store.answers import load_choices, load_scores
from services.collector.store.sharing import load_link
from shared.contracts.directory import OrganisationChanged
from shared.contracts.responses import Mood, Score
from shared.contracts.surveys import CloseTheLoop
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """The newest version of an answer that may be a person's; `words` is sealed."""

    received_at: datetime
    complete: bool
    draft: bool
    mood: Mood
    scores: tuple[Score, ...]
    choices: dict[str, tuple[str, ...]]
    words: str


@dataclass(frozen=True, slots=True)
class PageRow:
    """A survey as its link shows it; `person` is sealed."""

    contact_id: UUID
    questionnaire: str
    state: SurveyState
    closes_at: datetime
    locale: str
    zone: str
    account: str
    product: str
    person: str
    slots: dict[str, str]
    close_the_loop: CloseTheLoop
    answer: GivenAnswer | None
    test: bool = False
    shared: bool = False
    """Reached by a link without an invitation."""

    identified: bool = True
    """Whether anybody knows who answers."""

    withdrawn: bool = False
    """Reached by a shared link that an operator took back."""

    incentive: dict[str, str] = field(default_factory=dict)
    """What was promised to whoever answers, by language; empty where nothing was."""


# What was held is not shown: a person behind a gateway that pressed the button shall answer, not read thanks.
_PAGE = """
select s.contact_id, s.questionnaire, s.state, s.closes_at, s.snapshot, s.person, s.slots, s.close_the_loop,
    s.link_id, s.identified, s.incentive,
    a.received_at, a.complete, a.draft, a.mood, a.scores, a.choices, a.words
from surveys s
left join lateral (
    select * from answers
    where survey_id = s.survey_id and coalesce(verdict = 'human' or released_by is not null, true)
    order by version desc limit 1
) a on true
where s.survey_id = $1
"""


async def load_page(conn: Connection, survey_id: UUID) -> PageRow | None:
    """The survey of a link, or None while it has not arrived here."""
    row = await conn.fetchrow(_PAGE, survey_id)
    if row is None:
        return None
    snapshot = json.loads(row["snapshot"])
    answer = None
    if row["received_at"] is not None:
        answer = GivenAnswer(
            received_at=row["received_at"],
            complete=row["complete"],
            draft=row["draft"],
            mood=Mood(row["mood"]),
            scores=load_scores(row["scores"]),
            choices=load_choices(row["choices"]),
            words=row["words"],
        )
    shared = row["link_id"] is not None
    state = SurveyState(row["state"])
    ended = await load_link(conn, row["link_id"]) if shared and state is SurveyState.CLOSED else None
    return PageRow(
        contact_id=row["contact_id"],
        questionnaire=row["questionnaire"],
        state=state,
        closes_at=row["closes_at"],
        # Whoever typed an address has not proven that it is theirs: they see nothing of the person.
        locale="" if shared else snapshot["locale"],
        zone=snapshot["zone"],
        account="" if shared else snapshot["account_name"],
        product=snapshot["product"],
        person="" if shared else row["person"],
        slots=json.loads(row["slots"]),
        close_the_loop=CloseTheLoop.model_validate_json(row["close_the_loop"]),
        answer=answer,
        test=snapshot.get("test", False),
        shared=shared,
        identified=row["identified"],
        withdrawn=ended is not None and ended.withdrawn,
        incentive=json.loads(row["incentive"] or "{}"),
    )


async def load_blank_page(conn: Connection, link: UUID, now: datetime) -> PageRow | None:
    """What a visitor of a shared link sees who has sent nothing yet; None while the link has not arrived."""
    known = await load_link(conn, link)
    if known is None:
        return None
    return PageRow(
        contact_id=link,
        questionnaire=known.questionnaire,
        state=SurveyState.CLOSED if known.withdrawn else SurveyState.OPEN,
        closes_at=closes_at(known, now),
        locale="",
        zone=known.snapshot.zone,
        account="",
        product=known.snapshot.product,
        person="",
        slots=json.loads(known.slots),
        close_the_loop=known.loop,
        answer=None,
        shared=True,
        identified=False,
        withdrawn=known.withdrawn,
    )


async def load_organisation(conn: Connection) -> OrganisationChanged | None:
    """Settings of the organisation, as far as they have arrived."""
    text = await conn.fetchval("select settings from organisation")
    return None if text is None else OrganisationChanged.model_validate_json(text)
