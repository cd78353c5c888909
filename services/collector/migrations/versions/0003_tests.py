"""Surveys by which somebody tries a programme are found at once, for the books leave them out."""

from alembic import op

revision = "collector_0003"
down_revision = "collector_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The backslash keeps SQLAlchemy from taking the colon for a parameter.
    op.execute(r"""create index surveys_tests on surveys (survey_id) where snapshot like '%"test"\:true%'""")
