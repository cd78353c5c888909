"""Reports read sums of weeks: what ended cases came to, and the weeks in which one has changed since.

Revision ID: alerts_0025
Revises: alerts_0024
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0025"
down_revision = "alerts_0024"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create table case_weeks (week date primary key, care json not null, outcomes json not null)",
    # Read whole and often: packing would cost more than it saves.
    "alter table case_weeks alter column care set storage external",
    "comment on table case_weeks is 'What ended cases came to, by the Monday of a week; made from tickets.'",
    # No key: those who end cases of one week at the same time are not to wait for each other.
    """
    create table stale_weeks (week date not null)
        with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """,
    "create index stale_weeks_by_week on stale_weeks (week)",
    "comment on table stale_weeks is 'Weeks of which an ended case has changed since they were added up.'",
    # In which weeks a case counts: it began once more in some between its opening and its end.
    """
    create function weeks_of(t tickets) returns setof date language sql as $$
        select date_trunc('week', t.opened_at at time zone 'UTC')::date
        union select date_trunc('week', t.ended_at at time zone 'UTC')::date
        union select generate_series(
            date_trunc('week', t.opened_at at time zone 'UTC'),
            greatest(t.started_at, t.ended_at) at time zone 'UTC', interval '7 days')::date
            where t.generation > 1
    $$
    """,
    """
    create function note_stale_weeks() returns trigger language plpgsql set search_path from current as $$
    begin
        if tg_op = 'UPDATE' then
            if old.ended_at is not null then
                insert into stale_weeks select weeks_of(old);
            end if;
        end if;
        if new.ended_at is not null then
            insert into stale_weeks select weeks_of(new);
        end if;
        return null;
    end $$
    """,
    """
    create trigger weeks_get_stale after update on tickets for each row
        when (old.ended_at is not null or new.ended_at is not null) execute function note_stale_weeks()
    """,
    """
    create trigger weeks_get_stale_at_once after insert on tickets for each row
        when (new.ended_at is not null) execute function note_stale_weeks()
    """,
    """
    insert into stale_weeks
    select distinct week from tickets t cross join lateral weeks_of(t) as week where t.ended_at is not null
    """,
    # Around the weeks cases are read one by one: from these alone, not from their wide rows.
    "drop index tickets_opened_at",
    """
    create index tickets_opened_at on tickets (opened_at)
        include (generation, team, owner, state, acknowledged_at, contacted_at, ended_at, told, resolve_told)
    """,
    "drop index tickets_opened_again",
    """
    create index tickets_opened_again on tickets (greatest(started_at, ended_at), opened_at)
        where generation > 1
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
