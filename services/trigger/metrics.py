"""Metrics of trigger; labels come from closed lists."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

DECISIONS = Counter(
    "afterword_trigger_decisions_total", "Decisions by outcome and reason.", ["outcome", "reason"]
)
SHADOW_DECISIONS = Counter(
    "afterword_trigger_shadow_decisions_total",
    "Decisions of programmes in shadow, of which nothing came, by outcome and reason.",
    ["outcome", "reason"],
)
TESTS = Counter(
    "afterword_trigger_tests_total", "Tests of programmes that were sent to somebody who tries them."
)
WEBHOOKS = Counter(
    "afterword_trigger_webhooks_total",
    "Webhooks by source and result; of topics (kafka, sources) what came with another body under an old id.",
    ["source", "result"],
)
PLANS_PENDING = Gauge("afterword_trigger_plans_pending", "Plans that wait, by what for.", ["waits_for"])
PARKED = Gauge(
    "afterword_trigger_parked", "Events that wait for somebody to be known, by what was tried.", ["why"]
)
LOOK_UPS = Counter(
    "afterword_trigger_look_ups_total", "People looked up at partners, by result.", ["provider", "result"]
)
PURGED = Counter(
    "afterword_trigger_purged_total",
    "Rows forgotten by age: receipts of reports, names of events, parked events.",
    ["what"],
)
SOURCE_FINDINGS = Gauge(
    "afterword_trigger_source_findings",
    "Complaints of sources.yaml as it is now; what it said before goes on.",
)
MISSED = Gauge(
    "afterword_trigger_missed_changes",
    "Records of which a source says that we missed a change, not looked up.",
)
PROGRAMME_FINDINGS = Gauge(
    "afterword_trigger_programme_findings", "Complaints of the last programme check.", ["severity"]
)
