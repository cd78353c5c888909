#!/usr/bin/env bash
# Run the tests marked `kafka` against a real Apache Kafka, fetched once from Maven Central.
# Exits 3, and says why, where Java 17 or Maven or the jars cannot be had. Arguments go to pytest.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

not_run() { echo "not run: tests on Apache Kafka: $*" >&2; exit 3; }

command -v java >/dev/null || not_run "Java is missing; install a JDK, version 17 or later"
major=$(java -version 2>&1 | sed -nE '1s/.*version "([0-9]+).*/\1/p')
[ "${major:-0}" -ge 17 ] || not_run "Java ${major:-of unknown version} is too old; version 17 or later is needed"

# A change of the list of jars is a new directory; a fetch that was cut off leaves none.
export KAFKA_LIBS=$root/.artifacts/kafka/$(cksum <"$here/pom.xml" | cut -d' ' -f1)
if [ ! -d "$KAFKA_LIBS" ]; then
  command -v mvn >/dev/null || not_run "Maven is missing; install it"
  mkdir -p "$(dirname "$KAFKA_LIBS")"
  draft=$KAFKA_LIBS.draft
  rm -rf "$draft"
  echo "kafka: fetching the broker from Maven Central (once)"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$draft" -DincludeScope=runtime \
    >"$KAFKA_LIBS.log" 2>&1 || not_run "the jars could not be fetched from Maven Central, see $KAFKA_LIBS.log"
  mv "$draft" "$KAFKA_LIBS"
fi

KAFKA_STATE=$(mktemp -d)
export KAFKA_STATE
export KAFKA_CONTROL=$here/broker.sh
leave() {
  "$KAFKA_CONTROL" stop || "$KAFKA_CONTROL" kill || true
  rm -rf "$KAFKA_STATE"
}
trap leave EXIT
trap 'exit 130' INT TERM

python=$root/.venv/bin/python
"$python" - "$KAFKA_STATE" <<'PYTHON'
import os, pathlib, socket, sys

# Below the ports that the system lends to clients: one of those would be taken while the broker is down.
candidates = (20000 + (os.getpid() * 7 + step) % 12000 for step in range(12000))


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
