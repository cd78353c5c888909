"""Answers are listed by when they changed, by programme and by account."""

from alembic import op

revision = "collector_0005"
down_revision = "collector_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Generated, so that surveys which older code stores meanwhile have them too.
    for column, kind, value in (
        ("programme", "text", "snapshot::json ->> 'programme'"),
        ("account_id", "text", "snapshot::json ->> 'account_id'"),
        ("test", "boolean", "coalesce(snapshot::json ->> 'test' = 'true', false)"),
    ):
        escaped = value.replace("::", r"\:\:")
        op.execute(f"alter table surveys add column {column} {kind} generated always as ({escaped}) stored")
    op.execute("create index surveys_programme on surveys (programme)")
    op.execute("create index surveys_account on surveys (account_id)")
    op.execute("alter table responses add column changed_at timestamptz not null default now()")
    op.execute("create index responses_changed on responses (changed_at, survey_id) where state <> 'pending'")
    op.execute("comment on column responses.changed_at is 'When its last event was made.'")


def downgrade() -> None:
    op.execute("alter table responses drop column changed_at")
    for column in ("programme", "account_id", "test"):
        op.execute(f"alter table surveys drop column {column}")
