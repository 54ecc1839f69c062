#!/bin/sh
# Runs one golden case: run.sh DIR_OF_RECO CASE [--redo]. See README.md. Exit 0 passed, 1 failed, 77 skipped.
set -u
bin=$(cd "$1" && pwd) || exit 1
case_dir=$(cd "$2" && pwd) || exit 1
redo=${3:-}
failed=0

for need in $(cat "$case_dir/needs" 2>/dev/null); do
    case $need in
    torch) [ -x "$bin/../libexec/reco/reco-torch" ] || { echo "skipped: no reco-torch in this build"; exit 77; } ;;
    notorch) [ ! -x "$bin/../libexec/reco/reco-torch" ] || { echo "skipped: this build has reco-torch"; exit 77; } ;;
    nonroot) [ "$(id -u)" != 0 ] || { echo "skipped: root may write anywhere"; exit 77; } ;;
    tmpfs) unshare -rm mount -t tmpfs -o size=16k none /mnt 2>/dev/null || { echo "skipped: no small file system may be mounted"; exit 77; } ;;
    datalimit) prlimit --data=40960000 "$bin/reco" version >/dev/null 2>&1 || { echo "skipped: reco does not start with little memory, as with a sanitizer"; exit 77; } ;;
    full) [ -c /dev/full ] || { echo "skipped: no /dev/full"; exit 77; } ;;
    *) echo "$case_dir/needs: unknown need '$need'"; exit 1 ;;
    esac
done

work=$(mktemp -d "${TMPDIR:-/tmp}/reco-cli.XXXXXX") || exit 1
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir "$work/run"
[ ! -d "$case_dir/in" ] || cp -R "$case_dir/in/." "$work/run/"

for name in $(env | sed -n 's/^\(RECO_[A-Z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
PATH="$bin:$PATH" LC_ALL=C NO_COLOR=1 CI=1 CASE="$case_dir" SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
export PATH LC_ALL NO_COLOR CI CASE SOURCE
(cd "$work/run" && exec sh -u "$case_dir/cmd") >"$work/out" 2>"$work/err" </dev/null
status=$?

# Where the sources lie differs from clone to clone: expected texts say $SOURCE.
for stream in out err; do
    sed "s|$SOURCE|\$SOURCE|g" "$work/$stream" >"$work/$stream.plain" && mv "$work/$stream.plain" "$work/$stream"
done

if [ "$redo" = --redo ]; then
    for stream in out err; do
        [ ! -e "$case_dir/$stream.match" ] || continue
        rm -f "$case_dir/$stream"
        [ ! -s "$work/$stream" ] || cp "$work/$stream" "$case_dir/$stream"
    done
    rm -f "$case_dir/status"
    [ $status = 0 ] || echo $status >"$case_dir/status"
    exit 0
fi

expected_status=$(cat "$case_dir/status" 2>/dev/null || echo 0)
if [ "$status" != "$expected_status" ]; then
    echo "exit status $status, expected $expected_status"
    failed=1
fi
for stream in out err; do
    if [ -e "$case_dir/$stream.match" ]; then
        while IFS= read -r pattern; do
            if ! grep -Eq -e "$pattern" "$work/$stream"; then
                echo "std$stream has no line that matches: $pattern"
                failed=1
            fi
        done <"$case_dir/$stream.match"
    else
        expected="$case_dir/$stream"
        [ -e "$expected" ] || expected=/dev/null
        diff -u "$expected" "$work/$stream" || failed=1
    fi
done
if [ $failed != 0 ]; then
    echo "--- stdout"; head -c 4000 "$work/out"
    echo "--- stderr"; head -c 4000 "$work/err"
fi
exit $failed
