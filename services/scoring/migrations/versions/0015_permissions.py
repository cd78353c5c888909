"""What an answer allows is kept with the answer itself, whatever its programme asks by now.

The columns of before are left for processes of the version before, which may still run; nothing reads them.

Revision ID: scoring_0015
Revises: scoring_0014
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0015"
down_revision = "scoring_0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    update answer_facts f set answer = (f.answer::jsonb || '{"permissions": ["quote"]}')::json
    from programmes p
    where p.programme = f.programme and p.quoting <> '{}'
        and exists (
            select from unnest(p.quoting) as question
            where coalesce((f.answer -> 'choices' -> question)::jsonb ? 'yes', false)
        )
    """,
    "alter table comments alter column quotable set default false",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table comments alter column quotable drop default")
