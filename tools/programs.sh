#!/usr/bin/env bash
# Get what the page tests (Chromium) and the query tests (Prometheus) need, where Debian's packages can be had.
# Prometheus is unpacked under .artifacts, not installed: its package would start a server.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.artifacts/bin
have() { command -v "$1" >/dev/null || [ -x "$bin/$1" ]; }
has_browser() { have chromium || have chromium-browser || have google-chrome; }

wanted=()
has_browser || wanted+=(chromium)
{ have prometheus && have promtool; } || wanted+=(prometheus)
[ ${#wanted[@]} = 0 ] && exit 0

tell() { echo "not run: tests that need ${wanted[*]}: $*. Install with: apt-get install ${wanted[*]}"; exit 0; }
command -v apt-get >/dev/null || tell "this is no Debian"
[ "$(id -u)" = 0 ] || tell "installing needs root"

log=.artifacts/programs.log
mkdir -p "$bin"
echo "programs: fetching ${wanted[*]} (once)"
apt-get update >"$log" 2>&1 || tell "apt-get update failed, see $log"
if ! has_browser; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-dejavu-core >>"$log" 2>&1 ||
    tell "apt-get install chromium failed, see $log"
fi
if ! { have prometheus && have promtool; }; then
  unpack=$(mktemp -d)
  # apt's own user must be able to write there, or it warns.
  chmod 755 "$unpack"
  (cd "$unpack" && apt-get download prometheus && dpkg-deb -x prometheus_*.deb .) >>"$log" 2>&1 &&
    cp "$unpack/usr/bin/prometheus" "$unpack/usr/bin/promtool" "$bin/" || true
  rm -rf "$unpack"
  { have prometheus && have promtool; } || tell "apt-get download prometheus failed, see $log"
fi
