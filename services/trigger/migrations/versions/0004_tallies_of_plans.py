"""How many plans wait for what, kept as plans change; settled parked events by age.

Revision ID: trigger_0004
Revises: trigger_0003
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0004"
down_revision = "trigger_0003"
branch_labels = None
depends_on = None

_COUNT = """
insert into waiting_plans (programme, waits_for, plans)
select programme, coalesce(waits_for, ''), sum(n) from ({rows}) as changed
group by 1, 2 having sum(n) <> 0
"""
_NEW = "select programme, waits_for, 1 as n from fresh where state = 'pending'"
_OLD = "select programme, waits_for, -1 as n from gone where state = 'pending'"

STATEMENTS = (
    # Only ever added to by those who change plans, so that nobody waits for a count; the gauge loop adds up.
    """
    create table waiting_plans (
        id bigint generated always as identity primary key,
        programme text not null,
        waits_for text not null,
        plans bigint not null
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
    f"""
    create function count_waiting_plans() returns trigger language plpgsql set search_path from current
    as $$ begin
        if tg_op = 'INSERT' then {_COUNT.format(rows=_NEW)};
        elsif tg_op = 'DELETE' then {_COUNT.format(rows=_OLD)};
        else {_COUNT.format(rows=f"{_NEW} union all {_OLD}")};
        end if;
        return null;
    end $$
    """,
    """
    create trigger plans_counted_in after insert on plans referencing new table as fresh
    for each statement execute function count_waiting_plans()
    """,
    """
    create trigger plans_counted_on after update on plans referencing new table as fresh old table as gone
    for each statement execute function count_waiting_plans()
    """,
    """
    create trigger plans_counted_out after delete on plans referencing old table as gone
    for each statement execute function count_waiting_plans()
    """,
    """
    insert into waiting_plans (programme, waits_for, plans)
    select programme, coalesce(waits_for, ''), count(*) from plans where state = 'pending' group by 1, 2
    """,
    "create index parked_settled on parked (settled_at) where state <> 'waiting'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
