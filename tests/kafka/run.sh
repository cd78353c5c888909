#!/usr/bin/env bash
# Run the tests marked `kafka` against a real Apache Kafka, fetched once from Maven Central.
# Exits 3, and says why, where Java 17 or Maven or the jars cannot be had. Arguments go to pytest.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

not_run() { echo "not run: tests on Apache Kafka: $*" >&2; exit 3; }

source "$here/jars.sh"

KAFKA_STATE=$(mktemp -d)
export KAFKA_STATE
export KAFKA_CONTROL=$here/broker.sh
leave() {
  local status=$?
  [ "$status" = 0 ] || { echo "kafka: the end of the broker's log:"; tail -40 "$KAFKA_STATE/kafka.log"; } >&2 || true
  "$KAFKA_CONTROL" stop || "$KAFKA_CONTROL" kill || true
  rm -rf "$KAFKA_STATE"
}
trap leave EXIT
trap 'exit 130' INT TERM

python=$root/.venv/bin/python
"$python" - "$KAFKA_STATE" <<'PYTHON'
import os, pathlib, socket, sys

# Below the ports that the system lends to clients, and not those of embedded processes: one of them would be
# taken while the broker is down.
candidates = (30000 + (os.getpid() * 7 + step) % 1000 for step in range(1000))


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


free = filter(is_free, candidates)
for name in ("port", "controller-port"):
    pathlib.Path(sys.argv[1], name).write_text(str(next(free)))
PYTHON
KAFKA_BOOTSTRAP=127.0.0.1:$(cat "$KAFKA_STATE/port")
export KAFKA_BOOTSTRAP
"$KAFKA_CONTROL" start
echo "kafka: broker on $KAFKA_BOOTSTRAP"

# One after another: several tests take the broker away.
cd "$root"
"$python" -m pytest -m kafka -n 0 "$@"
