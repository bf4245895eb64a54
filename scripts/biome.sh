#!/bin/sh
# The formatter and linter of this machine's kind.
case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "flowlens: no formatter for $(uname -m)" >&2; exit 1 ;;
esac
exec "$(dirname "$0")/../node_modules/@biomejs/cli-linux-$arch/biome" "$@"
