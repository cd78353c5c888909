"""Gauges of scoring for Prometheus; programmes and themes are few, and no label comes from an answer."""

from prometheus_client import Counter, Gauge

NPS = Gauge("afterword_scoring_nps", "NPS of all answers, -100 to 100.", ["programme", "family"])
NPS_LOW = Gauge("afterword_scoring_nps_low", "Lower end of the 95 % interval.", ["programme", "family"])
NPS_HIGH = Gauge("afterword_scoring_nps_high", "Upper end of the 95 % interval.", ["programme", "family"])
NPS5 = Gauge(
    "afterword_scoring_nps5", "NPS asked on five points, apart from that on eleven.", ["programme", "family"]
)
NPS5_LOW = Gauge("afterword_scoring_nps5_low", "Lower end of the 95 % interval.", ["programme", "family"])
NPS5_HIGH = Gauge("afterword_scoring_nps5_high", "Upper end of the 95 % interval.", ["programme", "family"])
SHARE = Gauge(
    "afterword_scoring_share_ratio",
    "Share of satisfied (CSAT) or easy (CES) answers, 0 to 1.",
    ["programme", "family", "metric"],
)
SHARE_LOW = Gauge(
    "afterword_scoring_share_low_ratio",
    "Lower end of the 95 % interval.",
    ["programme", "family", "metric"],
)
SHARE_HIGH = Gauge(
    "afterword_scoring_share_high_ratio",
    "Upper end of the 95 % interval.",
    ["programme", "family", "metric"],
)
RESPONSE_RATIO = Gauge(
    "afterword_scoring_response_ratio", "Answered surveys by surveys handed over, 0 to 1.", ["programme"]
)
DROPS = Counter(
    "afterword_scoring_drops_total",
    "Scores that fell by more than chance explains.",
    ["programme", "metric"],
)
RISES = Counter(
    "afterword_scoring_rises_total",
    "Themes of open answers that are named more often, by more than chance explains.",
    ["theme"],
)
CHURN_RISES = Counter(
    "afterword_scoring_churn_rises_total",
    "Rises of churn that were told: more customers left, by more than chance explains.",
)
DIGESTS = Counter(
    "afterword_scoring_digests_total", "Tries to hand a weekly digest over, by what came of it.", ["state"]
)
FILES = Counter(
    "afterword_scoring_files_total", "Tries to put a table into the folder, by what came of it.", ["state"]
)
ANSWERS = Gauge(
    "afterword_scoring_answers",
    "Answers that count now; falls when an answer is withdrawn.",
    ["programme", "metric", "group"],
)
CRM_RECORDS = Counter(
    "afterword_scoring_crm_records_total",
    "Records in CRMs that were looked at, by what came of it; failed: the partner as a whole did.",
    ["target", "result"],
)
CRM_STANDING = Gauge(
    "afterword_scoring_crm_standing", "Records in CRMs by state.", ["target", "kind", "state"]
)
