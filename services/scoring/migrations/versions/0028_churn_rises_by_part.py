"""Rises of churn by tier and product, and a view of them all (R68).

Revision ID: scoring_0028
Revises: scoring_0027
"""

from __future__ import annotations

from alembic import op

from services.scoring.migrations.view import SCHEMA, View

revision = "scoring_0028"
down_revision = "scoring_0027"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    alter table churn_rises add column dimension text collate "C" not null default '',
        add column value text collate "C" not null default '',
        drop constraint churn_rises_pkey, add primary key (day, dimension, value)
    """,
    "comment on column churn_rises.dimension is 'tier or product, empty for all customers'",
)
VIEWS = (
    View(
        "churn_rises", "One rise of churn: more customers left than before, and chance hardly explains it.",
        (("day", "c.day", "day on which it was told"),
         ("dimension", "c.dimension", "tier or product; empty for all customers"),
         ("value", "c.value", "which tier or product"),
         ("left_before", "c.left_before", "accounts that left in the 180 days before"),
         ("left_after", "c.left_after", "in the last 30 days"),
         ("expected", "c.expected", "that would have left in the 30 days at the rate of before"),
         ("renewed_before", "c.renewed_before", "accounts whose contract was renewed in the 180 days"),
         ("renewed_after", "c.renewed_after", "in the 30 days"),
         ("accounts_before", "c.accounts_before", "customers on a usual day of the 180 days"),
         ("accounts_after", "c.accounts_after", "of the 30 days"),
         ("before", "c.before", "percent of the customers that left in 30 days, before"),
         ("after", "c.after", "in the last 30 days"),
         ("low", "c.low", "they left at least so many times as often, with 95 percent"),
         ("high", "c.high", "at most so many times; null where nobody had left before"),
         ("seen", "c.seen", "day on which it was last there")),
        "from churn_rises c",
    ),
    View(
        "contract_ends", "One contract that was renewed or ended, as it was told.",
        (("account_id", "h.account_id", "the account; of view accounts"),
         ("day", "(h.at at time zone 'UTC')::date", "UTC day"),
         ("kind", "h.kind", "renewal or churn; one end may be told twice"),
         ("product", "h.product", "product, where it was told")),
        "from happenings h where h.kind in ('renewal', 'churn') and h.account_id is not null",
    ),
)  # fmt: skip


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for view in VIEWS:
        op.execute(view.ddl)
        for comment in view.comments:
            op.execute(comment)


def downgrade() -> None:
    for view in reversed(VIEWS):
        op.execute(f"drop view {SCHEMA}.{view.name}")
    op.execute("delete from churn_rises where dimension <> ''")
    op.execute(
        "alter table churn_rises drop constraint churn_rises_pkey, drop column dimension, drop column value,"
        " add primary key (day)"
    )
