"""Which playbook an answer's programme names, and what was checked off in each case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.alerts.domain.model import Answer
from services.alerts.domain.playbooks import PlaybookStep, StepState
from shared.contracts.responses import Mood
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Checked:
    """How far a step of a case is, since when, and who said so."""

    state: StepState
    at: datetime
    by: UUID


@dataclass(frozen=True, slots=True)
class Offered:
    """How often something was offered, and how often they took it."""

    offer: str
    made: int
    taken: int


async def note(conn: Connection, answers: Sequence[Answer]) -> None:
    """Remember which playbooks unhappy answers name, held ones too: a person may confirm them later."""
    named = {one.response_id: one.playbook for one in answers if one.mood is Mood.UNHAPPY and one.playbook}
    if named:
        await conn.execute(
            """
            insert into answer_playbooks (response_id, playbook)
            select * from unnest($1::uuid[], $2::text[])
            on conflict (response_id) do update set playbook = excluded.playbook
            """,
            list(named),
            list(named.values()),
        )


async def of_ticket(conn: Connection, ticket_id: UUID) -> list[str]:
    """The playbooks that the answers of a case name, that of the first voice first."""
    rows = await conn.fetch(
        "select playbook from voices join answer_playbooks using (response_id) where ticket_id = $1 "
        "order by place",
        ticket_id,
    )
    return [row["playbook"] for row in rows]


async def checked(conn: Connection, ticket_id: UUID) -> Mapping[str, Checked]:
    """What was checked off in a case, by the step's key."""
    rows = await conn.fetch(
        "select step, state, at, by_user from playbook_steps where ticket_id = $1", ticket_id
    )
    return {row["step"]: Checked(StepState(row["state"]), row["at"], row["by_user"]) for row in rows}


async def check(
    conn: Connection, ticket_id: UUID, step: PlaybookStep, state: StepState, by: UUID, now: datetime
) -> bool:
    """Write down how far a step is; false when that is known already."""
    if state is StepState.OPEN:
        gone = "delete from playbook_steps where ticket_id = $1 and step = $2 returning 1"
        return bool(await conn.fetch(gone, ticket_id, step.key))
    rows = await conn.fetch(
        """
        insert into playbook_steps (ticket_id, step, offer, state, at, by_user)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (ticket_id, step) do update set
            state = excluded.state, at = excluded.at, by_user = excluded.by_user
        where playbook_steps.state <> excluded.state returning 1
        """,
        ticket_id,
        step.key,
        step.offer.value if step.offer else "",
        state.value,
        now,
        by,
    )
    return bool(rows)


async def offered(conn: Connection) -> list[Offered]:
    """How often each offer was made and taken."""
    rows = await conn.fetch(
        """
        select offer, count(*)::int as made, (count(*) filter (where state = 'taken'))::int as taken
        from playbook_steps where offer <> '' group by 1 order by 1
        """
    )
    return [Offered(**dict(row)) for row in rows]
