#!/bin/sh
# Types, lint, format and house rules: what must hold before a commit. Under 30 s.
set -eu
cd "$(dirname "$0")/.."
tsc --noEmit -p .
sh scripts/biome.sh check .
vitest run --config vitest.config.ts test/house.test.ts --reporter=dot
