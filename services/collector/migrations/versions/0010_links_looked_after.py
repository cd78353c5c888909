"""Who made and withdrew a shared link, and who came when it had ended."""

from alembic import op

revision = "collector_0010"
down_revision = "collector_0009"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    alter table shared_links
        add column shared_at timestamptz,
        add column shared_by text not null default '',
        add column withdrawn_by text not null default '',
        add column reason text not null default ''
    """,
    """
    create table link_refusals (
        link_id uuid not null,
        day date not null,
        why text not null check (why in ('closed', 'withdrawn')),
        times int not null,
        primary key (link_id, day, why)
    )
    """,
    "comment on table link_refusals is 'How often somebody came by a shared link that had ended.'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table link_refusals")
    for column in ("reason", "withdrawn_by", "shared_by", "shared_at"):
        op.execute(f"alter table shared_links drop column {column}")
