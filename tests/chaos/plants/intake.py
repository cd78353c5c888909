"""Wrongs of intake and ledger."""

from tests.chaos.journal import Posted, Produced
from tests.chaos.planting import Plant, added, contact, copied, free, open_, plan, survey, updated

_OWN_PLAN = copied(
    "trigger.plans",
    f"id = {plan('bo')}",
    id="'00000000-0000-0000-0000-000000000001'",
    state="'{}'",
    subject="'order:x'",
)
_DECIDED = (
    "insert into trigger.decisions (at, event_id, programme, version, plan_id, step, outcome, inputs) values"
    " (now(), 'x', 'delivery-csat', '', '00000000-0000-0000-0000-000000000001', 0, '{}', '{{}}')"
)


def lone_plan(state: str, decision: str) -> tuple[str, ...]:
    """A further plan, decided about."""
    made = (_OWN_PLAN.format(state), _DECIDED.format("planned"))
    return made if decision == "planned" else (*made, _DECIDED.format(decision))


PLANTS = [
    Plant("lost-event", spoil=added(Produced("never-read", "/crm", "order.delivered"))),
    Plant("lost-event", spoil=added(Posted("never-kept", "/webhooks/generic", "order.delivered"))),
    Plant(
        "lost-event", sql=("delete from trigger.inbox where event_id = 'log-cy'",), also=("unread-record",)
    ),
    Plant(
        "doubled-inbox",
        sql=(
            free("trigger.inbox", "inbox_pkey"),
            copied("trigger.inbox", "event_id = 'log-cy'", outcome="'done'"),
        ),
    ),
    Plant(
        "undecided-event",
        sql=(open_("trigger.decisions"), "delete from trigger.decisions where outcome = 'not_matched'"),
    ),
    Plant("plan-against-ledger", sql=(updated("trigger.plans", "state = 'expanded'", id=plan("bo")),)),
    Plant("lost-plan", sql=(f"delete from trigger.plans where id = {plan('bo')}",)),
    Plant(
        "planned-twice",
        sql=(
            open_("trigger.decisions"),
            (
                "insert into trigger.decisions overriding system value select -1, at, event_id, programme,"
                " version, plan_id, contact_id, account_id, step, outcome, reason, until, inputs"
                f" from trigger.decisions where outcome = 'planned' and plan_id = {plan('bo')}"
            ),
        ),
    ),
    Plant(
        "doubled-plan",
        sql=(
            copied(
                "trigger.plans",
                f"id = {plan('bo')}",
                id="'00000000-0000-0000-0000-000000000001'",
                state="'suppressed'",
                reason="'expired'",
            ),
            _DECIDED.format("planned"),
            _DECIDED.replace("outcome,", "reason, outcome,").format("expired', 'suppressed"),
        ),
    ),
    Plant(
        "conflict-unrecorded",
        spoil=added(
            Posted("hook-ana", "/webhooks/generic", "order.delivered", digest="one"),
            Posted("hook-ana", "/webhooks/generic", "order.delivered", digest="other"),
        ),
    ),
    Plant(
        "unknown-reason",
        sql=(
            open_("trigger.decisions"),
            "update trigger.decisions set reason = 'because' where outcome = 'deferred'",
        ),
    ),
    Plant(
        "cap-exceeded",
        sql=(updated("trigger.asks", f"contact_id = {contact('bo')}", survey_id=survey("fay")),),
    ),
    Plant(
        "budget-exceeded",
        sql=(
            "update trigger.editions set definition = jsonb_set(definition, '{quarantine,account,max}', '2')",
        ),
    ),
    Plant(
        "unreleased-reservation",
        sql=(updated("trigger.asks", "state = 'open', released_at = null", survey_id=survey("kim")),),
    ),
    Plant(
        "released-although-sent",
        sql=(updated("trigger.asks", "state = 'released', released_at = now()", survey_id=survey("fay")),),
    ),
]
