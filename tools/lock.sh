#!/usr/bin/env bash
# Pin every dependency with its hashes, under requirements/. Without arguments it keeps the pins that still fit;
# with --upgrade it takes the newest. No address of a package index is written.
set -euo pipefail
cd "$(dirname "$0")/.."
# uv brings certificates of its own; those of this machine are what its owner trusts.
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
uv=.venv/bin/uv
compile() {
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
    --no-emit-package afterword "$@" >/dev/null
}
compile requirements/bootstrap.in -o requirements/bootstrap.txt "$@"
# The image writes Parquet too.
compile pyproject.toml --extra parquet -o requirements/runtime.txt "$@"
compile pyproject.toml --extra dev -c requirements/runtime.txt -o requirements/dev.txt "$@"
compile requirements/bench.in -o requirements/bench.txt "$@"
wc -l requirements/*.txt
