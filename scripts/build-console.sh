#!/bin/sh
# Bundles the console when it was not built from these sources yet.
set -eu
cd "$(dirname "$0")/.."
mark=apps/console/dist/.built
if [ -f "$mark" ] && [ -z "$(find apps/console libs/domain package-lock.json -newer "$mark" -type f -not -path 'apps/console/dist/*' -print -quit)" ]; then
  exit 0
fi
echo "flowlens: building the console (once for these sources)" >&2
node_modules/.bin/vite build apps/console --logLevel warn
touch "$mark"
