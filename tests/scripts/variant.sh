#!/usr/bin/env bash
# Builds a variant of the tree and runs its tests, as one test of the main tree.
#   variant.sh asan|clang SOURCE_DIR BINARY_DIR [LIBTORCH]
#     asan   AddressSanitizer and UndefinedBehaviorSanitizer: everything without torch, and the tests of tch where there is libtorch
#     clang  everything compiles with clang without a warning; the tests of core and the fuzz corpus run
set -euo pipefail
variant=$1 source=$2 binary=$3 libtorch=${4:-}

build() { # build FOLDER TARGET CMAKE_OPTIONS...
  local folder=$1 target=$2
  shift 2
  cmake -S "$source" -B "$folder" -G Ninja -DRECO_VARIANTS=OFF "$@"
  cmake --build "$folder" --target "$target"
}
check() { # check FOLDER CTEST_OPTIONS...
  local folder=$1
  shift
  ctest --test-dir "$folder" --output-on-failure -j "$(nproc)" --no-tests=error -LE scripts "$@"
}

# Leaks are looked for too; what libtorch keeps for the life of the process is not ours.
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$source/tests/scripts/lsan.supp:print_suppressions=0

case "$variant" in
  asan)
    options=(-DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O1 -g1' -DCMAKE_CXX_FLAGS_DEBUG='-O1 -g1' -DRECO_SANITIZE=ON)
    build "$binary/plain" all "${options[@]}" -DRECO_TORCH=OFF
    check "$binary/plain"
    if [ -n "$libtorch" ]; then
      build "$binary/torch" tch_tests "${options[@]}" -DRECO_CUDA=OFF -DLIBTORCH="$libtorch"
      # One of them asks libtorch for more memory than there can be.
      ASAN_OPTIONS=$ASAN_OPTIONS:allocator_may_return_null=1 check "$binary/torch" -L '^tch$'
    fi
    ;;
  clang)
    if ! command -v clang >/dev/null || ! command -v clang++ >/dev/null; then
      echo 'skipped: clang is not installed'
      exit 77
    fi
    # Unoptimised: clang's warnings come from its front end, and most of the time goes into the optimiser.
    options=(-DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG=-O0 -DCMAKE_CXX_FLAGS_DEBUG=-O0
      -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DRECO_CUDA=OFF)
    if [ -n "$libtorch" ]; then
      build "$binary" all "${options[@]}" -DLIBTORCH="$libtorch"
    else
      build "$binary" all "${options[@]}" -DRECO_TORCH=OFF
    fi
    check "$binary" -L '^(core|fuzz)$'
    ;;
  *)
    echo "unknown variant '$variant'" >&2
    exit 2
    ;;
esac
