"""What it cost to win a customer, beside what they are worth and whether they left (R8)."""

from alembic import op

revision = "scoring_0026"
down_revision = "scoring_0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table accounts add column acquisition_cost double precision")


def downgrade() -> None:
    op.execute("alter table accounts drop column acquisition_cost")
