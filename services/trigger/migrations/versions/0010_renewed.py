"""Consent that somebody gave again after a no, so that other services hear of it.

Revision ID: trigger_0010
Revises: trigger_0009
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0010"
down_revision = "trigger_0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Pairs of a scope and a time.
    "alter table contacts add column renewed jsonb not null default '[]'",
    """
    update contacts c set renewed = found.renewed
    from (
        select contact_id, jsonb_agg(jsonb_build_array(scope, yes) order by scope) as renewed
        from (
            select contact_id, scope, max(last_at) filter (where given and firm) as yes,
                max(last_at) filter (where not given) as no
            from consents group by contact_id, scope
        ) as said
        where yes > no group by contact_id
    ) as found
    where c.id = found.contact_id and c.erased_at is null
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
