"""Views that lead from the former ids of accounts to the account of today, beside those that are there.

Revision ID: scoring_0012
Revises: scoring_0011
"""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

from services.scoring.migrations.view import SCHEMA, View

revision = "scoring_0012"
down_revision = "scoring_0011"
branch_labels = None
depends_on = None

_IDS = "array(select former from merged m where m.id = a.account_id) || a.account_id"
_LAST = f"""(
        select max(f.day) from answer_facts f where f.account_id = any ({_IDS}) and f.state = 'counted'
    )"""  # noqa: S608 - ours
_PEOPLE = f"""(
        select count(*)::int from people p where p.account_id = any ({_IDS})
            and not exists (select from merged m where m.former = p.contact_id)
    )"""  # noqa: S608 - ours
_OPEN = f"""(
        select count(*)::int from cases t
        where t.account_id = any ({_IDS}) and t.state not in ('resolved', 'closed')
    )"""  # noqa: S608 - ours

VIEWS: Sequence[View] = (
    View(
        "account_ids", "One id that an account has or had, and the account that it is today.",
        (("account_id", "a.account_id", "id as it stands in answers, account_scores_by_day and tickets"),
         ("current_id", "coalesce(m.id, a.account_id)",
          "the account of today, of view current_accounts; the same id where nothing was merged"),
         ("former", "m.id is not null", "whether it was merged into that one")),
        "from accounts a left join merged m on m.former = a.account_id",
    ),
    View(
        "current_accounts", "One company as it is today, whatever ids it was known under.",
        (("account_id", "a.account_id", "the account; current_id of view account_ids"),
         ("name", "a.name", "its name"),
         ("tier", "a.tier", "small, key or premium"), ("industry", "a.industry", "industry"),
         ("size", "a.size", "size"), ("owner", "a.owner", "account manager"),
         ("region", "a.region", "region"), ("annual_value", "a.annual_value", "annual value of the contract"),
         ("phase", "a.phase", "phase of the relation"), ("started_on", "a.started_on", "first day"),
         ("renewal_on", "a.renewal_on", "day of the next renewal"),
         ("last_answer_on", _LAST, "day of its last answer under any id; null is silence from the beginning"),
         ("people", _PEOPLE, "people known"),
         ("open_tickets", _OPEN, "tickets of unhappy answers, under any id, that are not resolved")),
        "from accounts a where not exists (select from merged m where m.former = a.account_id)",
    ),
)  # fmt: skip
"""Another view beside them, because a view is never changed."""


def upgrade() -> None:
    for view in VIEWS:
        op.execute(view.ddl)
        for comment in view.comments:
            op.execute(comment)


def downgrade() -> None:
    for view in reversed(VIEWS):
        op.execute(f"drop view {SCHEMA}.{view.name}")
