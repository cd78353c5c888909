#!/usr/bin/env bash
# Lighthouse on the pages that customers see. It and the Node that it needs (newer than Debian's) are taken from npm
# into .artifacts/lighthouse, at pinned hashes; the browser is Debian's Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || { echo "lighthouse: its Node is pinned for Linux on x86-64"; exit 1; }
command -v npm >/dev/null || { echo "lighthouse: npm is missing. Install with: apt-get install npm"; exit 1; }
tools/programs.sh
home=.artifacts/lighthouse
stamp=$home/.made-$(cksum <tests/lighthouse/npm-shrinkwrap.json | tr ' ' -)
if [ ! -e "$stamp" ]; then
  echo "lighthouse: fetching it and its Node (once, 360 MB)"
  mkdir -p "$home"
  rm -f "$home"/.made-* "$home"/package-lock.json
  cp tests/lighthouse/package.json tests/lighthouse/npm-shrinkwrap.json "$home/"
  # No script of a package runs: none of them is needed.
  npm --prefix "$home" ci --ignore-scripts --no-audit --no-fund --loglevel=error
  touch "$stamp"
fi
exec .venv/bin/python -m tests.lighthouse "$@"
