#!/usr/bin/env bash
# Make .venv with every dependency at its pinned hash. Does nothing when that is already so.
set -euo pipefail
cd "$(dirname "$0")/.."
# uv brings certificates of its own; those of this machine are what its owner trusts.
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
python=${PYTHON:-python3}
stamp=.venv/.afterword-$(cat requirements/bootstrap.txt requirements/dev.txt pyproject.toml "$0" | cksum | tr ' ' -)
[ -e "$stamp" ] && exit 0

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v "$python" >/dev/null || die "no '$python' found. Install Python 3.11 or newer, or say PYTHON=/path/to/python3."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  die "$("$python" --version) is too old: Afterword needs Python 3.11 or newer. Say PYTHON=/path/to/a/newer/python3."

new_venv() {
  "$python" -m venv .venv >/dev/null 2>&1 && return
  rm -rf .venv
  # Debian ships Python without ensurepip: the package python3-venv has it.
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing python3-venv"
    { apt-get update && apt-get install -y --no-install-recommends python3-venv; } >/dev/null 2>&1 || true
    "$python" -m venv .venv >/dev/null 2>&1 && return
    rm -rf .venv
  fi
  if "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --without-pip .venv && return
  fi
  die "'$python -m venv' does not work here: ensurepip is missing. On Debian and Ubuntu: apt-get install python3-venv."
}

if [ ! -x .venv/bin/python ]; then
  echo "setup: making .venv with $("$python" --version)"
  new_venv
fi
if ! .venv/bin/uv --version 2>/dev/null | grep -qF "$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/bootstrap.txt)"; then
  echo "setup: fetching uv"
  if .venv/bin/python -m pip --version >/dev/null 2>&1; then pip=(.venv/bin/python -m pip)
  else pip=("$python" -m pip --python .venv/bin/python); fi
  "${pip[@]}" install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
fi
echo "setup: installing $(grep -c '^[a-z]' requirements/dev.txt) pinned packages"
install=(.venv/bin/uv pip install --quiet --python .venv/bin/python)
"${install[@]}" --require-hashes -r requirements/dev.txt
"${install[@]}" --no-deps --no-build-isolation --editable .
rm -f .venv/.afterword-*
touch "$stamp"
echo "setup: done"
