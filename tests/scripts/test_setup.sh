#!/usr/bin/env bash
# set-up without root names the missing packages; a wrong LIBTORCH and an unknown option are refused; nothing reaches stdout.
set -euo pipefail
setup=$(cd "$(dirname "$0")/../../scripts" && pwd)/setup.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
failures=0

expect() { # expect STATUS PATTERN COMMAND...: exit status, a line on stderr, and an empty stdout
  local status=$1 pattern=$2 got=0
  shift 2
  "$@" >"$work/out" 2>"$work/err" || got=$?
  if [ "$got" != "$status" ] || { [ -n "$pattern" ] && ! grep -q -- "$pattern" "$work/err"; } || [ -s "$work/out" ]; then
    echo "FAILED: $* gave exit status $got (expected $status), no line like '$pattern', or output:"
    cat "$work/out" "$work/err"
    failures=$((failures + 1))
  fi
}
tool() { # tool NAME BODY: a stand-in on PATH
  printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

# shellcheck disable=SC2016 # the stand-in expands it
tool dpkg-query 'for last; do :; done; [ "$last" != libcsv-dev ] && [ "$last" != libzstd-dev ] && echo installed'
tool id 'echo 1000'
tool apt-get 'echo "apt-get was run without root" >&2; exit 99'
expect 1 'ask for: apt-get install libcsv-dev libzstd-dev$' env PATH="$work/bin:$PATH" "$setup" --no_torch

tool id 'echo 0'
tool apt-get 'echo "apt-get $*" >&2; exit 100'
expect 1 'apt-get update failed' env PATH="$work/bin:$PATH" "$setup" --no_torch
tool apt-get 'echo "apt-get $*" >&2'
expect 0 'apt-get install .* libcsv-dev libzstd-dev$' env PATH="$work/bin:$PATH" "$setup" --no_torch

tool dpkg-query 'echo installed'
expect 0 '' env PATH="$work/bin:$PATH" "$setup" --no-torch
expect 1 'is no libtorch' env PATH="$work/bin:$PATH" LIBTORCH="$work" "$setup"
expect 1 "cannot make the cache directory" env -u LIBTORCH PATH="$work/bin:$PATH" RECO_CACHE=/dev/null/reco "$setup"
expect 1 "unknown option '--torhc'" "$setup" --torhc
exit $((failures > 0))
