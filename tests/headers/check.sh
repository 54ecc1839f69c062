#!/bin/sh
# Every header compiles alone, and twice, as C11 with each compiler found; tch.h also as C++17.
set -u
cd "$(dirname "$0")/../.." || exit 1
flags="-D_GNU_SOURCE -I. -Wall -Wextra -Wpedantic -Werror -fsyntax-only"
failed=0 count=0

check() { # check HEADER COMPILER LANGUAGE STANDARD
    count=$((count + 1))
    printf '#include "%s"\n#include "%s"\n' "$1" "$1" | "$2" $flags -x "$3" -std="$4" - || {
        echo "$1 does not compile alone: $2 -std=$4"
        failed=1
    }
}
for header in */*.h; do
    case $header in tests/* | build*/*) continue ;; esac
    for compiler in gcc clang; do
        command -v $compiler >/dev/null && check "$header" $compiler c c11
    done
done
for compiler in g++ clang++; do
    command -v $compiler >/dev/null && check tch/tch.h $compiler c++ c++17
done
echo "headers: $count checks"
exit $failed
