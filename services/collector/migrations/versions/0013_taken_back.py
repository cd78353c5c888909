"""Who vouched for an answer when, and who took that word back, and why."""

from alembic import op

revision = "collector_0013"
down_revision = "collector_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table answers add column released_at timestamptz, add column taken_back_by text, "
        "add column taken_back_at timestamptz, add column taken_back_why text"
    )
    op.execute("comment on column answers.released_at is 'When released_by said so.'")
    op.execute("comment on column answers.taken_back_by is 'Who took the last word for it back.'")
    # When it was said was not kept before: the event that followed is the nearest that is known.
    op.execute(
        "update answers a set released_at = r.changed_at from responses r "
        "where a.released_by is not null and r.survey_id = a.survey_id"
    )
    op.execute(
        "create index answers_released on answers (released_at, survey_id) where released_by is not null"
    )


def downgrade() -> None:
    op.execute("drop index answers_released")
    op.execute(
        "alter table answers drop column released_at, drop column taken_back_by, "
        "drop column taken_back_at, drop column taken_back_why"
    )
