"""What it cost to win a customer, beside what they are worth."""

from alembic import op

revision = "trigger_0020"
down_revision = "trigger_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table accounts add column acquisition_cost double precision")


def downgrade() -> None:
    op.execute("alter table accounts drop column acquisition_cost")
