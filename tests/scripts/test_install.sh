#!/usr/bin/env bash
# cmake --install gives a tree that works from where it is moved to, and finds its libtorch there.
#   test_install.sh BINARY_DIR
set -euo pipefail
binary=$1
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*"
  exit 1
}

cmake --install "$binary" --prefix "$work/first/reco" >/dev/null
mv "$work/first" "$work/moved there" # a blank in the path, too
tree="$work/moved there/reco"
unset LD_LIBRARY_PATH LIBTORCH
[ -x "$tree/bin/reco" ] || fail 'bin/reco is not installed'
"$tree/bin/reco" version || fail 'reco version'
"$tree/bin/reco" --help >/dev/null || fail 'reco --help'
"$tree/bin/reco-eval" --help >/dev/null || fail 'reco-eval --help'
[[ $(ldd "$tree/bin/reco") != *libtorch* ]] || fail 'bin/reco loads libtorch'

if [ -x "$tree/libexec/reco/reco-torch" ]; then # a command that runs a model finds its libtorch
  printf 'query,title,label\nred kettle,kettle,1\n' >"$work/pairs.csv"
  "$tree/bin/reco" predict --model "$source/tests/reference/bert_tiny" --test_file "$work/pairs.csv" --query_column query \
    --description_column title --label_column label --max_seq_length 32 --device cpu --output "$work/p.tsv" --quiet ||
    fail 'reco predict'
  [ "$(wc -l <"$work/p.tsv")" = 2 ] || fail 'no predictions'
fi
echo "installed, moved and run: $(find "$tree" -type f | wc -l) files"
