"""What became of what was promised: who has earned it, and what was given."""

from alembic import op

revision = "collector_0014"
down_revision = "collector_0013"
branch_labels = None
depends_on = None

_TABLES = (
    """
    create table incentives (
        survey_id uuid primary key references surveys (survey_id),
        standing text not null default 'promised' check (standing in ('promised', 'held', 'earned')),
        since timestamptz not null,
        version int not null default 0,
        redeemed_at timestamptz,
        reference text not null default '',
        recorded_by text
    )
    """,
    "comment on table incentives is 'A row for each survey that promised something (R55).'",
    "comment on column incentives.standing is 'How the answer stands: none, held back, or counted.'",
    "comment on column incentives.since is 'When it last changed, be it by the answer or by what was given.'",
    "comment on column incentives.version is 'Counts what was recorded and taken back.'",
    "comment on column incentives.reference is 'What was given, by its number in the system that gave it.'",
    "create index incentives_since on incentives (since, survey_id)",
    """
    create index incentives_earned on incentives (since, survey_id)
        where redeemed_at is null and standing = 'earned'
    """,
    """
    create table refused_redemptions (
        survey_id uuid not null,
        reason text not null,
        reference text not null,
        times int not null default 1,
        first_at timestamptz not null,
        last_at timestamptz not null,
        refused_to text not null,
        primary key (survey_id, reason, reference)
    )
    """,
    "comment on table refused_redemptions is 'What could not be recorded as given, and why.'",
    "create index refused_redemptions_last on refused_redemptions (last_at, survey_id)",
    """
    insert into incentives (survey_id, standing, since)
    select s.survey_id,
        case r.state when 'counted' then 'earned' when 'held' then 'held' else 'promised' end,
        coalesce(r.changed_at, s.closes_at - interval '30 days')
    from surveys s left join responses r using (survey_id)
    where s.incentive <> ''
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table refused_redemptions")
    op.execute("drop table incentives")
