"""Views for Tableau, Power BI and whatever else only reads: their names and columns stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

from services.scoring.migrations.view import SCHEMA, View

revision = "scoring_0010"
down_revision = "scoring_0009"
branch_labels = None
depends_on = None


def _buckets(first: int, last: int, alias: str) -> str:
    return " + ".join(f"{alias}b{number}" for number in range(first, last + 1))


def _group(nps: tuple[int, int], nps5: tuple[int, int], five: tuple[int, int], seven: tuple[int, int]) -> str:
    """Answers of a cell that lie between two buckets, by metric."""
    return (
        f"(case c.metric when 'nps' then {_buckets(*nps, 'c.')} when 'nps5' then {_buckets(*nps5, 'c.')}"
        f" when 'csat' then {_buckets(*five, 'c.')} else {_buckets(*seven, 'c.')} end)"
    )


_COUNTS = (
    ("answers", f"({_buckets(0, 10, 'c.')})", "answers"),
    ("high", _group((9, 10), (4, 4), (3, 4), (5, 6)), "of them promoters, satisfied, easy"),
    ("middle", _group((7, 8), (3, 3), (2, 2), (3, 4)), "of them passives, neutral, moderate"),
    ("low", _group((0, 6), (0, 2), (0, 1), (0, 2)), "of them detractors, unhappy, hard"),
)
_KIND = ("family", "c.family", "transactional, relationship or progress; never added up")
_METRIC = ("metric", "c.metric", "nps (0 to 10), nps5 (1 to 5), csat, ces; never added up")
_ANY = f"c.rollup = 'programme' and ({_buckets(0, 10, 'c.')}) > 0"
_SNAPSHOT = (
    ("touchpoint", "event that was asked about"), ("tier", "tier of the account"),
    ("industry", "industry of the account"), ("size", "size of the account"),
    ("owner", "account manager"), ("persona", "user or decision_maker"), ("job_function", "job function"),
    ("product", "product"), ("service_type", "type of service"), ("region", "region"),
    ("locale", "language of the survey"), ("channel", "channel of the survey"),
)  # fmt: skip

_LAST = """(
        select max(f.day) from answer_facts f where f.account_id = a.account_id and f.state = 'counted'
    )"""
_PEOPLE = """(
        select count(*)::int from people p where p.account_id = a.account_id
            and not exists (select from merged m where m.former = p.contact_id)
    )"""
_OPEN = """(
        select count(*)::int from cases t
        where t.account_id = a.account_id and t.state not in ('resolved', 'closed')
    )"""

VIEWS: Sequence[View] = (
    View(
        "answers", "One answer that counts, as it stands now; no words, nothing that leads to a person.",
        (
            ("response_id", "f.response_id", "the answer"),
            ("day", "f.day", "UTC day on which it first came; an amendment stays on it"),
            ("asked_on", "f.cohort", "UTC day on which the survey was handed over"),
            ("answered_at", "f.answered_at", "when its newest version came"),
            ("programme", "f.programme", "key of the programme"),
            ("family", "f.family", "transactional, relationship or progress; never added up"),
            *((name, f"coalesce(f.snapshot ->> '{name}', '')", meaning) for name, meaning in _SNAPSHOT),
            ("account_id", "f.account_id", "the account; of view accounts"),
            ("nps", "f.nps", "0 to 10"), ("nps5", "f.nps5", "1 to 5"), ("csat", "f.csat", "1 to 5"),
            ("ces", "f.ces", "1 to 7, 7 is the easiest"),
            ("mood", "coalesce(f.answer ->> 'mood', '')", "unhappy, passive or happy"),
        ),
        "from answer_facts f where f.state = 'counted'",
    ),
    View(
        "scores_by_day", "The answers of one day to one metric of one programme.",
        (("day", "c.day", "UTC day of the answers"), ("programme", "c.value", "key of the programme"), _KIND,
         _METRIC, *_COUNTS),
        f"from score_cells c where {_ANY}",
    ),
    View(
        "scores_by_dimension",
        "The answers of one day to one metric by the value of one dimension. Filter on one dimension.",
        (("day", "c.day", "UTC day of the answers"),
         ("dimension", "c.rollup", "tier, industry, persona …, or total for all of a family"),
         ("value", "c.value", "its value; empty for total"), _KIND, _METRIC, *_COUNTS),
        f"from score_cells c where c.rollup not like '%+%' and ({_buckets(0, 10, 'c.')}) > 0",
    ),
    View(
        "response_rates_by_day", "What became of the surveys of a programme that were handed over on a day.",
        (("day", "c.day", "UTC day of the hand-over, for requested that of the request"),
         ("programme", "c.value", "key of the programme"), _KIND,
         ("requested", "c.requested", "surveys asked for"),
         ("handed_over", "c.handed_over", "surveys that left, the whole of a response rate"),
         ("answered", "c.answered", "of them answered, whenever the answer came"),
         ("held", "c.held", "answers held back: they look made by a machine")),
        "from rate_cells c where c.rollup = 'programme'",
    ),
    View(
        "account_scores_by_day", "The answers of one account on one day to one metric of one programme.",
        (("account_id", "f.account_id", "the account; of view accounts"),
         ("day", "f.day", "UTC day of the answers"), ("programme", "f.programme", "key of the programme"),
         ("family", "f.family", "transactional, relationship or progress; never added up"),
         ("persona", "coalesce(f.persona, '')", "user, decision_maker or empty"),
         ("metric", "p.metric", "nps (0 to 10), nps5 (1 to 5), csat, ces; never added up"),
         ("answers", "count(*)::int", "answers"),
         ("high", "(count(*) filter (where p.answer >= p.high))::int", "of them promoters, satisfied, easy"),
         ("middle", "(count(*) filter (where p.answer >= p.middle and p.answer < p.high))::int",
          "of them passives, neutral, moderate"),
         ("low", "(count(*) filter (where p.answer < p.middle))::int", "of them detractors, unhappy, hard")),
        "from answer_facts f, lateral (values ('nps', f.nps, 7, 9), ('nps5', f.nps5, 4, 5),"
        " ('csat', f.csat, 3, 4), ('ces', f.ces, 4, 6)) as p (metric, answer, middle, high)"
        " where f.state = 'counted' and f.account_id is not null and p.answer is not null"
        " group by f.account_id, f.day, f.programme, f.family, f.persona, p.metric",
    ),
    View(
        "accounts", "One account as the directory knows it.",
        (("account_id", "a.account_id", "the account"), ("name", "a.name", "its name"),
         ("tier", "a.tier", "small, key or premium"), ("industry", "a.industry", "industry"),
         ("size", "a.size", "size"), ("owner", "a.owner", "account manager"),
         ("region", "a.region", "region"), ("annual_value", "a.annual_value", "annual value of the contract"),
         ("phase", "a.phase", "phase of the relation"), ("started_on", "a.started_on", "first day"),
         ("renewal_on", "a.renewal_on", "day of the next renewal"),
         ("last_answer_on", _LAST, "day of its last answer; null is silence from the beginning"),
         ("people", _PEOPLE, "people known"),
         ("open_tickets", _OPEN, "tickets of unhappy answers that are not resolved")),
        "from accounts a",
    ),
    View(
        "themes_by_day", "Comments of one day to one programme that name one theme in one tone.",
        (("day", "c.day", "UTC day of the comments"), ("programme", "c.programme", "key of the programme"),
         ("family", "c.family", "transactional, relationship or progress"),
         ("theme", "t.theme", "key of the theme in the dictionary"),
         ("tone", "t.tone", "positive, neutral or negative"),
         ("comments", "count(*)::int", "comments that name it; one may name several themes")),
        "from comments c join answer_facts f using (response_id),"
        " unnest(c.themes, c.tones) as t (theme, tone)"
        " where f.state = 'counted' group by c.day, c.programme, c.family, t.theme, t.tone",
    ),
    View(
        "comments_by_day", "Open answers of one day to one programme, the whole of shares of themes.",
        (("day", "c.day", "UTC day of the comments"), ("programme", "c.programme", "key of the programme"),
         ("family", "c.family", "transactional, relationship or progress"),
         ("language", "c.language", "language of the words"),
         ("tone", "c.tone", "positive, neutral or negative"), ("comments", "count(*)::int", "comments")),
        "from comments c join answer_facts f using (response_id) where f.state = 'counted'"
        " group by c.day, c.programme, c.family, c.language, c.tone",
    ),
    View(
        "programmes", "One programme.",
        (("programme", "p.programme", "its key"), ("family", "p.family", "kind of survey"),
         ("title", "coalesce(p.title ->> 'en', p.programme)", "its English title, else its key"),
         ("goal_group", "p.goal_group", "group whose goal it serves")),
        "from programmes p",
    ),
    View(
        "tickets", "One ticket of an unhappy answer.",
        (("ticket_id", "t.ticket_id", "the ticket"), ("account_id", "t.account_id", "its account"),
         ("state", "t.state", "where it stands"), ("opened_at", "t.opened_at", "when it was opened"),
         ("contact_due_at", "t.contact_due_at", "by when somebody is to speak with the customer"),
         ("changed_at", "t.changed_at", "when it last changed")),
        "from cases t",
    ),
    View(
        "drops", "One fall of a score that chance hardly explains.",
        (("day", "d.day", "day on which it was told"), ("programme", "d.programme", "key of the programme"),
         ("family", "d.family", "kind of survey"), ("metric", "d.metric", "what was scored"),
         ("before", "d.before", "score of the 90 days before"), ("after", "d.after", "of the last 30 days"),
         ("answers_before", "d.n_before", "answers of the 90 days"),
         ("answers_after", "d.n_after", "answers of the 30 days")),
        "from drops d",
    ),
)  # fmt: skip
"""A view is never changed: what is to be different is another view beside it."""


def upgrade() -> None:
    # Whoever is a member of the role sees views, these and later ones, and nothing else.
    op.execute(f"alter default privileges in schema {SCHEMA} grant select on tables to {SCHEMA}")
    for view in VIEWS:
        op.execute(view.ddl)
        for comment in view.comments:
            op.execute(comment)


def downgrade() -> None:
    for view in reversed(VIEWS):
        op.execute(f"drop view {SCHEMA}.{view.name}")
    op.execute(f"alter default privileges in schema {SCHEMA} revoke select on tables from {SCHEMA}")  # noqa: S608 - ours
