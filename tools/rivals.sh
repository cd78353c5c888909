#!/usr/bin/env bash
# Make .venv/rivals, where the frameworks we are measured against live. Does nothing when that is already so.
set -euo pipefail
cd "$(dirname "$0")/.."
# uv brings certificates of its own; those of this machine are what its owner trusts.
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
stamp=.venv/rivals/.made-$(cksum <requirements/bench.txt | tr ' ' -)
[ -e "$stamp" ] && exit 0
echo "rivals: installing $(grep -c '^[a-z]' requirements/bench.txt) pinned packages (once)"
.venv/bin/uv venv --quiet --allow-existing --python .venv/bin/python .venv/rivals
.venv/bin/uv pip install --quiet --python .venv/rivals/bin/python --require-hashes -r requirements/bench.txt
touch "$stamp"
