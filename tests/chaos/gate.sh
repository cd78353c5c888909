#!/usr/bin/env bash
# The gate of reliability: a campaign on a fleet (F2 to F7, F9), and in the time that it leaves idle the death at every
# failpoint and the auditor's own tests (F1, F8), which wait for nothing but the processor. Arguments go to the campaign.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=.venv/bin/python
log=$(mktemp -t afterword-deaths-XXXXXX.log)
# A single death at the first time is a part of those at the first, second and tenth time. Who has little of the
# processor needs more time by the clock.
nice -n 10 "$python" -m pytest -q -n "${WORKERS:-2}" --dist loadgroup --timeout 600 \
  tests/e2e/test_failpoints.py tests/chaos -k "not a_death_changes_nothing" >"$log" 2>&1 &
deaths=$!
leave() {
  kill "$deaths" 2>/dev/null || true
  wait "$deaths" 2>/dev/null || true
}
trap leave EXIT
trap 'exit 130' INT TERM
echo "chaos: deaths at every failpoint run beside the campaign, their output is in $log"

status=0
"$python" -m tests.chaos "$@" || status=$?
if wait "$deaths"; then
  echo "chaos: deaths at every failpoint: $(tail -n 1 "$log")"
  rm "$log"
else
  status=1
  cat "$log"
fi
exit "$status"
