"""What people and programs ask about messages: lists and the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.contracts.model import Channel
from shared.db.database import Connection

_MESSAGES = """
select m.*, (select count(*) from attempts a where a.delivery_id = m.delivery_id)::int as tries
from messages m
where ($1::uuid is null or m.survey_id = $1) and ($2::uuid is null or m.contact_id = $2)
    and ($3::text is null or m.state = $3)
order by m.requested_at desc, m.delivery_id limit $4
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a provider; machine time."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message with what became of it; no personal data.

    Attributes:
        limited_by: the limit for which it stood in line last, in words.
        limited_at: since when; machine time.
        opens_at: when the recipient's hours begin for which it waits; business time.
        subject_line: id of the subject that it was sent with, where there are several.
    """

    delivery_id: UUID
    survey_id: UUID | None
    message_id: UUID | None
    kind: str
    step: int
    channel: str
    contact_id: UUID
    account_id: UUID | None
    programme: str
    state: str
    reason: str | None
    detail: str
    requested_at: datetime
    finished_at: datetime | None
    limited_by: str | None = None
    limited_at: datetime | None = None
    opens_at: datetime | None = None
    subject_line: str | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are wanted; None = any."""

    survey_id: UUID | None = None
    contact_id: UUID | None = None
    state: str | None = None
    limit: int = 100


async def messages(conn: Connection, wanted: Filter) -> list[Message]:
    """Messages, newest first, each with its attempts."""
    rows = await conn.fetch(_MESSAGES, wanted.survey_id, wanted.contact_id, wanted.state, wanted.limit)
    tries = await conn.fetch(
        "select * from attempts where delivery_id = any($1::uuid[]) order by delivery_id, number",
        [row["delivery_id"] for row in rows],
    )
    by_message: dict[UUID, list[Attempt]] = {}
    for row in tries:
        attempt = Attempt(row["number"], row["started_at"], row["ended_at"], row["outcome"], row["detail"])
        by_message.setdefault(row["delivery_id"], []).append(attempt)
    return [_message(row, tuple(by_message.get(row["delivery_id"], ()))) for row in rows]


def _message(row: Mapping[str, object], attempts: tuple[Attempt, ...]) -> Message:
    names = [name for name in Message.__dataclass_fields__ if name != "attempts"]
    return Message(**{name: row[name] for name in names}, attempts=attempts)  # type: ignore[arg-type]  # the table's types


@dataclass(frozen=True, slots=True)
class Books:
    """First messages of surveys by their state: requested is the sum of all the others.

    `notes`: messages that ask nothing, by state; a message that was asked for is one of them.
    """

    requested: int
    handed_over: int
    failed: int
    uncertain: int
    suppressed: Mapping[str, int]
    open: int
    notes: Mapping[str, int] = field(default_factory=dict)

    @property
    def balanced(self) -> bool:
        """Whether nothing got lost between the states."""
        ended = self.handed_over + self.failed + self.uncertain + sum(self.suppressed.values())
        return self.requested == ended + self.open


_TESTS = """(select survey_id from surveys where snapshot like '%"test":true%')"""
"""Surveys by which somebody tries a programme."""


async def books(conn: Connection) -> Books:
    """The books over surveys; what was passed on counts where it went.

    Reminders are not counted: they belong to a survey that is. Nor are tests of programmes, which
    nobody planned.
    """
    requested: int = await conn.fetchval(
        f"select (select count(*) from surveys) - count(*) from {_TESTS} as t"  # noqa: S608 - a constant
    )
    rows = await conn.fetch(
        f"""
        select state, coalesce(reason, '') as reason, count(*)::int as n
        from messages where survey_id is not null and step = 0 and state <> 'passed_on'
            and survey_id not in {_TESTS} group by 1, 2
        """  # noqa: S608 - a constant
    )
    notes = await conn.fetch(
        "select state, count(*)::int as n from messages where survey_id is null group by 1 order by 1"
    )
    by_state: dict[str, int] = {}
    for row in rows:
        by_state[row["state"]] = by_state.get(row["state"], 0) + row["n"]
    return Books(
        requested=requested,
        handed_over=by_state.get("handed_over", 0),
        failed=by_state.get("failed", 0),
        uncertain=by_state.get("uncertain", 0),
        suppressed={row["reason"]: row["n"] for row in rows if row["state"] == "suppressed"},
        notes={row["state"]: row["n"] for row in notes},
        open=sum(by_state.get(state, 0) for state in ("planned", "claimed", "handing_over")),
    )


@dataclass(frozen=True, slots=True)
class Worded:
    """What messages of a programme say: form and letter as they are kept, and by which channels."""

    programme: str
    texts: str
    channels: tuple[Channel, ...]


# One that was published before its words came with it shows those of its last survey.
_WORDED = """
select p.programme, w.texts, case when p.texts = '' then last.channels else p.channels end as channels
from programmes p
left join lateral (
    select t.content, s.channels from surveys s join texts t on t.digest = s.texts_digest
    where p.texts = '' and s.programme = p.programme order by s.requested_at desc limit 1
) last on true
cross join lateral (select coalesce(nullif(p.texts, ''), last.content) as texts) w
where w.texts is not null order by p.programme
"""


async def worded(conn: Connection) -> list[Worded]:
    """All programmes whose words are known."""
    return [
        Worded(row["programme"], row["texts"], tuple(map(Channel, row["channels"])) or (Channel.EMAIL,))
        for row in await conn.fetch(_WORDED)
    ]
