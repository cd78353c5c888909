"""Wrongs of scores."""

from tests.chaos.planting import Plant, contact, copied, survey, updated

PLANTS = [
    Plant(
        "aggregate-drift",
        sql=(
            (
                "update scoring.score_cells set b1 = b1 + 1 where (rollup, value, day) ="
                " (select rollup, value, day from scoring.score_cells order by day desc limit 1)"
            ),
        ),
    ),
    Plant(
        "aggregate-drift",
        sql=("delete from scoring.score_cells where rollup = 'total'",),
        also=("month-drift",),
    ),
    Plant(
        "rate-drift",
        sql=("update scoring.rate_cells set answered = answered + 1 where rollup = 'total'",),
        also=("month-drift",),
    ),
    Plant("month-drift", sql=("update scoring.score_months set b1 = b1 + 1 where rollup = 'programme'",)),
    Plant("month-drift", sql=("delete from scoring.score_months where rollup = 'total'",)),
    Plant("month-drift", sql=("update scoring.rate_months set answered = answered + 1",)),
    Plant("month-drift", sql=("update scoring.closed_months set before = before + interval '1 month'",)),
    Plant("fate-drift", sql=("update scoring.fates set csat_given = csat_given + 1",)),
    Plant("fate-drift", sql=("update scoring.fates set kind = 'renewal'",)),
    Plant("fate-drift", sql=("delete from scoring.fates",)),
    Plant("fate-drift", sql=("update scoring.programme_fates set csat = csat + 1",)),
    Plant("fate-drift", sql=("update scoring.programme_fates set programme = 'other-' || programme",)),
    Plant("fate-drift", sql=("delete from scoring.programme_fates",)),
    Plant("fact-drift", sql=(updated("scoring.answer_facts", "csat = 5", survey_id=survey("cy")),)),
    Plant("fact-drift", sql=(updated("scoring.answer_facts", "day = day - 1", survey_id=survey("cy")),)),
    Plant(
        "held-in-scores",
        sql=(updated("scoring.answer_facts", "state = 'counted'", survey_id=survey("hal")),),
        also=("fact-drift",),
    ),
    Plant(
        "impossible-cell",
        sql=(copied("scoring.score_cells", "rollup = 'total'", day="'2020-01-01'", b0="-1"),),
        also=("aggregate-drift", "month-drift"),
    ),
    Plant(
        "doubled-fact",
        sql=(
            copied(
                "scoring.answer_facts",
                f"survey_id = {survey('cy')}",
                response_id="'00000000-0000-0000-0000-000000000003'",
            ),
        ),
        also=("unannounced-change",),
    ),
    Plant(
        "erased-in-person-view",
        sql=(updated("scoring.answer_facts", f"contact_id = {contact('ivy')}", survey_id=survey("ivy")),),
    ),
    Plant(
        "wrong-headline",
        sql=(
            (
                "update scoring.outbox set value ="
                " replace(convert_from(value, 'UTF8'), '\"score\":', '\"score\":1')::bytea"
                " where headers like '%score.changed.v1%'"
            ),
        ),
    ),
]
