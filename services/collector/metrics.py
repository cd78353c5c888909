"""What the collector counts; labels come from closed lists."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SUBMISSIONS = Counter(
    "afterword_collector_submissions_total",
    "Answers sent to us, by what became of them: stored, incomplete, repeated, unreadable, refused, unknown, "
    "stale, limited, unavailable.",
    ["result"],
)
ANSWERS = Counter(
    "afterword_collector_answers_total",
    "Versions of answers judged, by verdict: human, machine, unclear.",
    ["verdict"],
)
EVIDENCE = Counter(
    "afterword_collector_evidence_total", "Reasons found when answers were judged.", ["evidence"]
)
OBSERVATIONS = Counter(
    "afterword_collector_observations_total", "What was seen of survey links, by kind.", ["kind"]
)
LINK_REFUSALS = Counter(
    "afterword_collector_link_refusals_total",
    "Visits by a shared link that takes nobody any more, by why: closed, withdrawn.",
    ["why"],
)
ANNOUNCED = Counter("afterword_collector_responses_total", "Response events by what they say.", ["event"])
GROUP_SIZE = Histogram(
    "afterword_collector_group_answers",
    "Answers written by one commit.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
ANSWER_SECONDS = Histogram(
    "afterword_collector_answer_seconds",
    "From the request to the durable answer.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
REDEMPTIONS = Counter(
    "afterword_collector_redemptions_total",
    "Incentives told to be given, by what became of it: recorded, same, taken_back, or why it was refused.",
    ["result"],
)
HELD = Gauge("afterword_collector_held_responses", "Responses held back as not made by a person.")
SETTLING = Gauge("afterword_collector_settling_responses", "Answers that wait to be judged and announced.")
FORM_ANSWERS = Counter(
    "afterword_collector_form_answers_total",
    "Answers of form tools told to us, by tool and what became of them: accepted, amended, duplicate, "
    "conflict, refused, not_yet, ignored, unreadable, or why the signature was not accepted.",
    ["tool", "result"],
)
FORMS_FINDINGS = Gauge(
    "afterword_collector_forms_findings",
    "Complaints about forms.yaml: while there are any it goes on as it was.",
)
WEBHOOK_CALLS = Counter(
    "afterword_collector_webhook_calls_total",
    "Calls of customers' endpoints, by what came of them: delivered, again, failed.",
    ["result"],
)
WEBHOOKS_WAITING = Gauge(
    "afterword_collector_webhooks_waiting", "Calls of endpoints that wait for their time."
)
