"""A view of who stayed and who left by what they had said in each programme.

Revision ID: scoring_0032
Revises: scoring_0031
"""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

from services.scoring.migrations.view import SCHEMA, View

revision = "scoring_0032"
down_revision = "scoring_0031"
branch_labels = None
depends_on = None

VIEWS: Sequence[View] = (
    View(
        "outcomes_by_programme",
        "Accounts whose contract was renewed or ended within a year, by what they had said in one programme.",
        (("programme", "o.programme", "key of the programme"),
         ("metric", "o.metric", "nps (0 to 10), nps5 (1 to 5), csat, ces; never added up"),
         ("mood", "o.mood", "what most of it was in the 180 days before: high, middle or low"),
         ("accounts", "o.accounts", "accounts, each once in a programme and metric, by its last end"),
         ("churned", "o.churned", "of them those whose contract ended"),
         ("touchpoints", "coalesce(array_to_string(p.touchpoints, '; '), '')",
          "events that it asks after; empty where it goes by a date or asks by hand, or that is not known"),
         ("state", "p.state", "active, paused, shadow or archived; null where it is not known"),
         ("follows_up", "p.follows_up",
          "whether a case, help or a task follows an unhappy answer; null where it is not known")),
        'from programme_outcomes o left join programmes p on p.programme = o.programme collate "default"',
    ),
)  # fmt: skip


def upgrade() -> None:
    for view in VIEWS:
        op.execute(view.ddl)
        for comment in view.comments:
            op.execute(comment)


def downgrade() -> None:
    for view in reversed(VIEWS):
        op.execute(f"drop view {SCHEMA}.{view.name}")
