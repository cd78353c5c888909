"""What a survey page shows, in one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.collector.domain.amend import SurveyState
from services.collector.store.answers import load_choices, load_scores
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


# What was held is not shown: a person behind a gateway that pressed the button shall answer, not read thanks.
_PAGE = """
select s.contact_id, s.questionnaire, s.state, s.closes_at, s.snapshot, s.person, s.slots, s.close_the_loop,
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
    return PageRow(
        contact_id=row["contact_id"],
        questionnaire=row["questionnaire"],
        state=SurveyState(row["state"]),
        closes_at=row["closes_at"],
        locale=snapshot["locale"],
        zone=snapshot["zone"],
        account=snapshot["account_name"],
        product=snapshot["product"],
        person=row["person"],
        slots=json.loads(row["slots"]),
        close_the_loop=CloseTheLoop.model_validate_json(row["close_the_loop"]),
        answer=answer,
        test=snapshot.get("test", False),
    )


async def load_organisation(conn: Connection) -> OrganisationChanged | None:
    """Settings of the organisation, as far as they have arrived."""
    text = await conn.fetchval("select settings from organisation")
    return None if text is None else OrganisationChanged.model_validate_json(text)
