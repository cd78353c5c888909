"""Wrongs of timers."""

from tests.chaos.planting import Plant, copied, open_, plan, survey, updated
from tests.chaos.plants.intake import lone_plan

PLANTS = [
    Plant(
        "doubled-survey",
        sql=(
            copied(
                "trigger.outbox",
                f"headers like '%survey.requested.v1%' and headers like '%' || {survey('bo')} || '%'",
                day="current_date",
            ),
        ),
        also=("announced-twice",),
    ),
    Plant("lost-survey", sql=lone_plan("requested", "requested")),
    Plant("overdue-plan", sql=lone_plan("pending", "planned")),
    Plant(
        "overdue-reminder", sql=(updated("trigger.asks", "next_step_at = asked_at", survey_id=survey("fay")),)
    ),
    Plant("overdue-closing", sql=(updated("trigger.asks", "closed_at = null", survey_id=survey("fay")),)),
    Plant(
        "early-fire",
        sql=(
            updated(
                "trigger.asks", "asked_at = asked_at - interval '2 hours 1 minute'", survey_id=survey("bo")
            ),
        ),
    ),
    Plant(
        "early-reminder",
        sql=(
            updated(
                "dispatch.messages",
                "requested_at = requested_at - interval '1 day'",
                step="1",
                survey_id=survey("cy"),
            ),
        ),
    ),
    Plant(
        "late-fire",
        sql=(updated("trigger.asks", "asked_at = asked_at + interval '3 minutes'", survey_id=survey("bo")),),
    ),
    Plant(
        "wrong-due-time",
        sql=(updated("trigger.plans", "first_due_at = first_due_at - interval '1 minute'", id=plan("bo")),),
    ),
    Plant(
        "fired-after-cancel",
        sql=(
            open_("trigger.decisions"),
            updated("trigger.plans", "state = 'cancelled', reason = 'cancelled'", id=plan("bo")),
            updated(
                "trigger.decisions",
                "outcome = 'cancelled', reason = 'cancelled'",
                outcome="'requested'",
                plan_id=plan("bo"),
            ),
        ),
    ),
]
