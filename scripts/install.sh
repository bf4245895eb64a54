#!/bin/sh
# Installs from the lock file when it was not done for this lock file yet. Needs only the host's npm.
set -eu
cd "$(dirname "$0")/.."
mark=node_modules/.installed-lock
if [ ! -f "$mark" ] || ! cmp -s package-lock.json "$mark"; then
  echo "flowlens: installing the dependencies from package-lock.json (once)" >&2
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$mark"
fi
if [ ! -x node_modules/.bin/node ]; then
  echo "flowlens: no Node 26 for this machine ($(uname -sm)); supported are Linux x86_64 and aarch64" >&2
  exit 1
fi
