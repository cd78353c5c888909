"""What came in on the topic of touchpoints, so that another body under the same id is noticed.

Revision ID: trigger_0012
Revises: trigger_0011
"""

from __future__ import annotations

from alembic import op

from shared.db.ddl import INBOX_DIGESTS

revision = "trigger_0012"
down_revision = "trigger_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in INBOX_DIGESTS:
        op.execute(statement)
