"""Answers that wait to be judged and announced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.collector.domain.agents import Agent
from services.collector.domain.evidence import Evidence
from services.collector.domain.settling import Announced, Due, State
from services.collector.domain.verdict import Judgement, Observation, Sent
from services.collector.store.answers import load_choices, load_scores
from services.collector.store.observations import load_observations
from shared.contracts.responses import Mood, Score, Verdict
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One version of an answer.

    Attributes:
        words: Sealed.
        released_by: The user who vouched for it, or empty.
        taken_back: By whom, when and why the last word for it was taken back; None: nobody did.
        judged: What it was taken for when it was last judged, by which `rules`; None: not judged yet.
    """

    version: int
    sent: Sent
    complete: bool
    draft: bool
    mood: Mood
    scores: tuple[Score, ...]
    choices: dict[str, tuple[str, ...]]
    words: str
    released_by: str
    judged: Judgement | None
    rules: int
    taken_back: tuple[str, datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that decides about one survey's answers."""

    survey_id: UUID
    questionnaire: str
    snapshot: str
    person: str
    close_the_loop: str
    closes_at: datetime
    events: int
    announced: Announced
    answers: list[StoredAnswer]
    observations: list[Observation]
    handed_over: list[datetime]
    handed_over_by_mail: list[datetime]
    fate_known: bool
    erased: bool
    promised: bool
    """Something was promised to whoever answers."""

    shared: bool = False
    """Answered by a shared link, by somebody who is known."""

    superseded: bool = False
    """The same person's answer by the same link stands elsewhere."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a case; `events` is how many events of the response there are now."""

    survey_id: UUID
    events: int
    announced: Announced


_CLAIM = """
select survey_id from settling s
where ready_at <= $1
    and (at_latest <= $1 or exists (select from hand_overs h where h.survey_id = s.survey_id))
order by ready_at limit $2 for update skip locked
"""

_CASES = """
select s.survey_id, s.questionnaire, s.snapshot, s.person, s.close_the_loop, s.closes_at,
    s.state = 'erased' as erased, s.incentive <> '' as promised,
    coalesce(r.version, 0) as events, coalesce(r.state, 'pending') as state,
    coalesce(r.announced, 0) as announced, s.link_id is not null and s.identified as shared,
    s.moved_to is not null or (s.link_id is not null and s.identified and exists (
        select from surveys o
        join responses t on t.survey_id = o.survey_id and t.state = 'counted'
        join answers later on later.survey_id = o.survey_id and later.version = t.announced
        where o.link_id = s.link_id and o.contact_id = s.contact_id and o.identified
            and o.survey_id <> s.survey_id and o.moved_to is null
            and (later.received_at, o.survey_id) > (
                select max(received_at), s.survey_id from answers where survey_id = s.survey_id)
    )) as superseded
from surveys s left join responses r using (survey_id)
where s.survey_id = any($1::uuid[]) order by s.survey_id
"""

_ANSWERS = "select * from answers where survey_id = any($1::uuid[]) order by survey_id, version"

_HAND_OVERS = """
select survey_id, channel, handed_over_at from hand_overs where survey_id = any($1::uuid[])
order by survey_id, handed_over_at
"""

_JUDGED = """
update answers a set verdict = j.verdict, evidence = string_to_array(j.evidence, ','), rules = $5
from unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) as j (survey_id, version, verdict, evidence)
where a.survey_id = j.survey_id and a.version = j.version
"""

_SETTLED = """
insert into responses as r (survey_id, version, state, announced, changed_at)
select survey_id, version, state, announced, $5
from unnest($1::uuid[], $2::int[], $3::text[], $4::int[]) as t (survey_id, version, state, announced)
order by survey_id
on conflict (survey_id) do update
    set version = excluded.version, state = excluded.state, announced = excluded.announced,
        changed_at = case when excluded.version > r.version then excluded.changed_at else r.changed_at end,
        reviewed_by = case when excluded.version > r.version then null else r.reviewed_by end
"""

_LATER = """
update settling s set ready_at = t.ready_at, at_latest = t.at_latest
from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) as t (survey_id, ready_at, at_latest)
where s.survey_id = t.survey_id
"""

_JUDGED_BEFORE = """
select distinct survey_id from answers
where verdict is not null and survey_id > $1 and ($2::uuid is null or survey_id = $2)
order by survey_id limit $3
"""

_AGAIN = """
insert into settling (survey_id, ready_at, at_latest)
select survey_id, $2, $2 from unnest($1::uuid[]) as t (survey_id) order by survey_id
on conflict (survey_id) do update
    set ready_at = least(settling.ready_at, excluded.ready_at),
        at_latest = least(settling.at_latest, excluded.at_latest)
"""

_SIBLINGS = """
insert into settling (survey_id, ready_at, at_latest)
select distinct o.survey_id, $2::timestamptz, $2::timestamptz
from surveys s join surveys o on o.link_id = s.link_id and o.contact_id = s.contact_id and o.identified
join responses r on r.survey_id = o.survey_id
where s.survey_id = any($1::uuid[]) and o.survey_id <> all($1::uuid[]) order by o.survey_id
on conflict (survey_id) do update
    set ready_at = least(settling.ready_at, excluded.ready_at),
        at_latest = least(settling.at_latest, excluded.at_latest)
"""

_MAIL = frozenset({"email", "sms"})
_EVIDENCE = frozenset(Evidence)


async def claim(conn: Connection, now: datetime, limit: int) -> list[UUID]:
    """Lock surveys whose answers are due; others that look at the same time get other ones."""
    return [row[0] for row in await conn.fetch(_CLAIM, now, limit)]


async def load_cases(conn: Connection, survey_ids: Sequence[UUID]) -> list[Case]:
    """Everything that decides about claimed surveys, in five statements however many they are."""
    ids = list(survey_ids)
    answers = await _answers(conn, ids)
    observations = await load_observations(conn, ids)
    fates: dict[UUID, list[tuple[str, datetime | None]]] = {survey_id: [] for survey_id in ids}
    for row in await conn.fetch(_HAND_OVERS, ids):
        fates[row["survey_id"]].append((row["channel"], row["handed_over_at"]))
    return [
        Case(
            survey_id=row["survey_id"],
            questionnaire=row["questionnaire"],
            snapshot=row["snapshot"],
            person=row["person"],
            close_the_loop=row["close_the_loop"],
            closes_at=row["closes_at"],
            events=row["events"],
            announced=Announced(State(row["state"]), row["announced"]),
            answers=answers.get(row["survey_id"], []),
            observations=observations[row["survey_id"]],
            handed_over=[at for _, at in fates[row["survey_id"]] if at],
            handed_over_by_mail=[at for by, at in fates[row["survey_id"]] if at and by in _MAIL],
            fate_known=bool(fates[row["survey_id"]]),
            erased=row["erased"],
            promised=row["promised"],
            shared=row["shared"],
            superseded=row["superseded"],
        )
        for row in await conn.fetch(_CASES, ids)
    ]


async def _answers(conn: Connection, survey_ids: list[UUID]) -> dict[UUID, list[StoredAnswer]]:
    found: dict[UUID, list[StoredAnswer]] = {}
    for row in await conn.fetch(_ANSWERS, survey_ids):
        sent = Sent(
            at=row["received_at"],
            address=row["address"],
            rendered_at=row["rendered_at"],
            agent=Agent(row["agent"]),
            honeypot=row["honeypot"],
            words=row["wrote"],
            styled=row["styled"],
        )
        found.setdefault(row["survey_id"], []).append(
            StoredAnswer(
                version=row["version"],
                sent=sent,
                complete=row["complete"],
                draft=row["draft"],
                mood=Mood(row["mood"]),
                scores=load_scores(row["scores"]),
                choices=load_choices(row["choices"]),
                words=row["words"],
                released_by=row["released_by"] or "",
                judged=_judgement(row["verdict"], row["evidence"]),
                rules=row["rules"],
                taken_back=_taken_back(row),
            )
        )
    return found


def _taken_back(row: Mapping[str, Any]) -> tuple[str, datetime, str] | None:
    by = row["taken_back_by"]
    return None if by is None else (by, row["taken_back_at"], row["taken_back_why"])


def _judgement(verdict: str | None, evidence: Sequence[str]) -> Judgement | None:
    """What is stored; evidence that today's rules do not know any more is left out."""
    if verdict is None:
        return None
    known = tuple(Evidence(one) for one in evidence if one in _EVIDENCE)
    return Judgement(Verdict(verdict), known)


async def save_judgements(
    conn: Connection, judged: Sequence[tuple[UUID, int, Judgement]], rules: int
) -> None:
    """Keep the verdict and its reasons beside each version."""
    await conn.execute(
        _JUDGED,
        [survey_id for survey_id, _, _ in judged],
        [version for _, version, _ in judged],
        [judgement.verdict.value for _, _, judgement in judged],
        [",".join(judgement.evidence) for _, _, judgement in judged],
        rules,
    )


async def save_settled(conn: Connection, settled: Sequence[Settled], now: datetime) -> None:
    """Keep what was announced, and take the cases off the queue."""
    await conn.execute(
        _SETTLED,
        [one.survey_id for one in settled],
        [one.events for one in settled],
        [one.announced.state.value for one in settled],
        [one.announced.version for one in settled],
        now,
    )


async def leave(conn: Connection, survey_ids: Sequence[UUID]) -> None:
    """Take surveys off the queue."""
    await conn.execute("delete from settling where survey_id = any($1::uuid[])", survey_ids)


async def postpone(conn: Connection, later: Sequence[tuple[UUID, Due]]) -> None:
    """Leave surveys on the queue until later."""
    await conn.execute(
        _LATER,
        [survey_id for survey_id, _ in later],
        [due.ready_at for _, due in later],
        [due.at_latest for _, due in later],
    )


async def judged_before(conn: Connection, after: UUID, only: UUID | None, limit: int) -> list[UUID]:
    """Surveys with judged answers in id order, all or one."""
    return [row[0] for row in await conn.fetch(_JUDGED_BEFORE, after, only, limit)]


async def judge_again(conn: Connection, survey_ids: Sequence[UUID], now: datetime) -> None:
    """Queue surveys whose answers shall be judged anew."""
    await conn.execute(_AGAIN, list(survey_ids), now)


async def judge_siblings(conn: Connection, survey_ids: Sequence[UUID], now: datetime) -> None:
    """Queue what the same people answered by the same shared links: one answer of a person counts."""
    await conn.execute(_SIBLINGS, list(survey_ids), now)


async def depths(conn: Connection) -> tuple[int, int]:
    """How many answers wait, and how many responses are held."""
    row = await conn.fetchrow(
        "select (select count(*) from settling) as waiting,"
        " (select count(*) from responses where state = 'held') as held"
    )
    return (row["waiting"], row["held"]) if row else (0, 0)
