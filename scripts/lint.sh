#!/usr/bin/env bash
# Style and rules over the tracked sources: formatting, banned calls, long files, shell scripts.
#
#   scripts/lint.sh [--fix]
#     --fix  format the C and C++ sources in place first
#
# A tool that is not installed is named and its part left out. Exit status: 0 clean; 1 something to mend; 2 usage.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  "" | --fix) ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
    exit 2
    ;;
esac

failed=0
complain() {
  printf 'lint: %s\n' "$*"
  failed=1
}
list() { # tracked files, and new ones that git does not ignore; without git, what is in the rooms
  if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -co --exclude-standard -- "$@" | while read -r file; do [ -f "$file" ] && printf '%s\n' "$file"; done | sort -u
  else
    local names=() pattern
    for pattern in "$@"; do names+=(-o -name "$pattern"); done
    find core data eval tch model train cli scripts tests .ci -type f \( "${names[@]:1}" \) | sort
  fi
}

mapfile -t sources < <(list '*.c' '*.h' '*.cpp' '*.hpp' '*.cu' '*.cuh')
mapfile -t shells < <(list '*.sh' '.ci/run' 'run')

formatter=
for name in clang-format-14 clang-format; do # other versions format otherwise
  if command -v "$name" >/dev/null && "$name" --version | grep -q 'version 14\.'; then
    formatter=$name
    break
  fi
done
if [ -n "$formatter" ]; then
  [ "${1:-}" = --fix ] && "$formatter" -i "${sources[@]}"
  for file in "${sources[@]}"; do
    "$formatter" --dry-run -Werror "$file" 2>/dev/null || complain "$file: formatting differs (scripts/lint.sh --fix mends it)"
  done
else
  echo 'lint: clang-format 14 is not installed: formatting not checked'
fi

banned='(^|[^[:alnum:]_])(atoi|atof|strcpy|strcat|sprintf|vsprintf|strtok|gets)[[:space:]]*\('
grep -nE "$banned" "${sources[@]}" | grep -vE '^[^:]+:[0-9]+:[[:space:]]*(\*|//|/\*)' && complain 'banned calls'
mapfile -t rooms < <(printf '%s\n' "${sources[@]}" | grep -E '^(core|data|eval|model|train|cli)/' | grep -vE '^core/mem(_spill)?\.')
grep -nE '(^|[^[:alnum:]_])(malloc|calloc|realloc)[[:space:]]*\(' "${rooms[@]}" && complain 'allocate through core/mem.h'
grep -nE '\<(TODO|FIXME|XXX)\>' "${sources[@]}" "${shells[@]}" | grep -v '^scripts/lint.sh:' && complain 'leftovers'

for file in "${sources[@]}"; do
  case "$file" in
    tests/*) continue ;;
    cli/cmd_*.c) limit=300 ;;
    eval/metric_*.c) limit=150 ;;
    *) limit=500 ;;
  esac
  lines=$(wc -l <"$file")
  # "about": a fifth more is still the same file
  [ "$lines" -le $((limit + limit / 5)) ] || complain "$file has $lines lines (limit about $limit)"
done

if command -v shellcheck >/dev/null; then
  shellcheck -S warning "${shells[@]}" || complain 'shellcheck'
else
  echo 'lint: shellcheck is not installed: shell scripts not checked'
fi
[ $failed = 0 ] && echo "lint: ${#sources[@]} sources and ${#shells[@]} scripts are clean"
exit $failed
