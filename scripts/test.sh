#!/usr/bin/env bash
# Sets up, builds and runs every test; ends with ctest's closing lines. Works alone on a fresh machine.
#
#   scripts/test.sh [--fast] [ctest options]
#     --fast   without the sanitizer and clang variants
#   examples: scripts/test.sh --fast -L data; scripts/test.sh -L gpu
#
# LIBTORCH, RECO_CACHE as for scripts/setup.sh; RECO_DATA_DIR names the folder of real data (default ../shared/data): tests that
# use it are skipped where it is not. Exit status: 0 when every test passed or was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

variants=ON
case "${1:-}" in
  --fast)
    variants=OFF
    shift
    ;;
  --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
    exit 0
    ;;
esac

LIBTORCH=$(scripts/setup.sh --tests)
scripts/fetch_model.sh minilm
cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DLIBTORCH="$LIBTORCH" -DBUILD_TESTING=ON -DRECO_VARIANTS=$variants
cmake --build build/release

# ctest tells neither why a test was skipped nor, without -V, what a failed one said: keep each test's output until its result is known.
status=0
ctest --test-dir build/release -V -j "$(nproc)" --no-tests=error "$@" 2>&1 | awk '
  /^(No tests|Error|CMake Error|ctest)/ { print; next }
  closing || /% tests passed/ { closing = 1; print; next }
  /^[0-9]+: (Test command|Working Directory|Environment variables|Test timeout|  *[A-Z_]+=)/ { next }
  /^[0-9]+: / { number = $1 + 0; output[number] = output[number] $0 "\n"; next }
  /^ *[0-9]+\/[0-9]+ Test +#/ {
    print
    match($0, /#[0-9]+/); number = substr($0, RSTART + 1, RLENGTH - 1) + 0
    if ($0 !~ /   Passed  /) {
      count = split(output[number], line, "\n")
      for (i = 1; i < count; i++)
        if ($0 !~ /\*\*\*Skipped/ || tolower(line[i]) ~ /skip/) print line[i]
    }
    delete output[number]
    fflush()
  }' || status=$?
exit $status
