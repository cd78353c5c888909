"""Metrics of dispatch; labels come from closed lists."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter(
    "afterword_dispatch_messages_total", "Messages by the state they came to.", ["channel", "kind", "state"]
)
SUPPRESSED = Counter(
    "afterword_dispatch_suppressed_total", "Messages that the last look stopped, by reason.", ["reason"]
)
ATTEMPTS = Counter(
    "afterword_dispatch_attempts_total", "Hand-overs tried, by what came of them.", ["channel", "outcome"]
)
HANDOVER_SECONDS = Histogram(
    "afterword_dispatch_handover_seconds",
    "Time that a provider took to accept or refuse one message.",
    ["channel"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
UNSUBSCRIBED = Counter(
    "afterword_dispatch_unsubscribed_total", "People who said stop, by scope.", ["scope", "via"]
)
RESUBSCRIBED = Counter(
    "afterword_dispatch_resubscribed_total",
    "People who took a stop back, by the way they had said it.",
    ["via"],
)
BOUNCES = Counter(
    "afterword_dispatch_bounces_total", "Messages that came back, by how hard and who told.", ["kind", "via"]
)
REPLIES = Counter(
    "afterword_dispatch_replies_total", "What people sent back, by what it was.", ["via", "kind"]
)
RETURN_ANSWERS = Counter(
    "afterword_dispatch_return_answers_total",
    "Mails and recipients brought to the return listener, by its answer: taken, refused or later.",
    ["answer"],
)
CERTIFICATE_DAYS = Gauge(
    "afterword_dispatch_certificate_days",
    "Days until a certificate that is used here expires, below 0 once it has; whose: return_listener.",
    ["whose"],
)
STALE_VIEWS = Counter(
    "afterword_dispatch_stale_views_total",
    "Reminders sent although answers could not be read up to date for 15 minutes.",
)
LIMITED = Counter(
    "afterword_dispatch_limited_total", "Messages that a limit put in line, each time.", ["channel"]
)
IN_LINE = Gauge(
    "afterword_dispatch_limited_messages", "Messages that stand in line, since a limit lets no more through."
)
OUT_OF_HOURS = Counter(
    "afterword_dispatch_out_of_hours_total",
    "Messages that were held up beyond the send window of their recipient, and wait for the next.",
    ["channel"],
)
WAITING = Gauge("afterword_dispatch_waiting_messages", "Messages not yet handed over.", ["state"])
UNCERTAIN = Gauge(
    "afterword_dispatch_uncertain_messages",
    "Messages of which nobody knows whether they left, and about which nobody has decided yet.",
)
SURVEYS = Gauge(
    "afterword_dispatch_surveys",
    "Surveys requested in the last 30 days, by what became of them so far; tests left out.",
    ["programme", "channel", "outcome"],
)
INCENTIVES = Gauge(
    "afterword_dispatch_incentives",
    "Surveys of the last 30 days that promise something: promised, earned by an answer, redeemed.",
    ["programme", "outcome"],
)
RESPONSE_RATIO = Gauge(
    "afterword_dispatch_response_ratio",
    "Surveys of the last 30 days: answered by sent, 0 to 1; none while none was sent.",
    ["programme"],
)
FLOOR = Gauge("afterword_dispatch_response_floor_ratio", "Response rate below which something is wrong.")
TARGET = Gauge("afterword_dispatch_response_target_ratio", "Response rate that is aimed at.")
