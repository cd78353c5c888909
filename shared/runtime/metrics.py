"""The metrics that every service has; labels come from closed lists."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

CONSUMER_RECORDS = Counter(
    "afterword_consumer_records_total",
    "Records taken from Kafka by outcome.",
    ["service", "topic", "outcome"],
)
CONSUMER_LAG = Gauge(
    "afterword_consumer_lag_records", "Records of a topic not yet handled by a service.", ["service", "topic"]
)
CONSUMER_BATCH_SECONDS = Histogram(
    "afterword_consumer_batch_seconds",
    "Time to handle one batch, from decoding to commit.",
    ["service"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30),
)
CONSUMER_STOPPED = Gauge(
    "afterword_consumer_stopped_partitions",
    "Partitions stopped because too many records were dead.",
    ["service"],
)
DEAD_LETTERS = Counter(
    "afterword_dead_letters_total", "Records put aside, by class of error.", ["service", "topic", "reason"]
)
OUTBOX_UNPUBLISHED = Gauge(
    "afterword_outbox_unpublished_rows", "Outbox rows not yet acked by the broker.", ["service"]
)
OUTBOX_OLDEST_AGE = Gauge(
    "afterword_outbox_oldest_age_seconds",
    "Age of the oldest unpublished outbox row, machine time.",
    ["service"],
)
OUTBOX_PUBLISHED = Counter(
    "afterword_outbox_published_total", "Outbox rows acked by the broker.", ["service", "topic"]
)
BROKER_BIRTHS = Counter(
    "afterword_broker_births_total",
    "Times the broker was found to have lost its data.",
    ["service", "seen_by"],
)
LOOP_SECONDS = Histogram("afterword_loop_seconds", "Time of one round of a loop.", ["service", "loop"])
LOOP_UNITS = Counter("afterword_loop_units_total", "Units of work done by a loop.", ["service", "loop"])
LOOP_FAILURES = Counter(
    "afterword_loop_failures_total", "Rounds of a loop that failed.", ["service", "loop", "kind"]
)
TASKS = Gauge(
    "afterword_runtime_tasks", "Tasks of the process's event loop that are not done; a leak grows here first."
)
CLOCK_SUSPECT = Gauge(
    "afterword_clock_suspect", "1 while the clocks disagree and nothing due is acted on.", ["service"]
)
STREAMS = Gauge("afterword_http_streams", "Streams of Server-Sent Events that are open.", ["feed"])
STREAMS_REFUSED = Counter(
    "afterword_http_streams_refused_total",
    "Streams that were not opened: full (too many in all), own (too many of one reader), stopping.",
    ["feed", "reason"],
)
