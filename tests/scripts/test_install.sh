#!/usr/bin/env bash
# cmake --install gives a tree that works from where it is moved to, and finds its libtorch there.
#   test_install.sh BINARY_DIR
set -euo pipefail
binary=$1
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
ldd "$tree/bin/reco" | grep -q libtorch && fail 'bin/reco loads libtorch'

mapfile -t torch < <(find "$tree/libexec" -name 'reco-torch*' -type f 2>/dev/null)
for program in "${torch[@]}"; do
  ldd "$program" | grep 'not found' && fail "$program lacks libraries"
done
if [ ${#torch[@]} -gt 0 ]; then # a command that needs libtorch starts, and makes a model
  printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' a b c >"$work/vocab.txt"
  "$tree/bin/reco" train --help >/dev/null || fail 'reco train --help'
fi
echo "installed, moved and run: $(find "$tree" -type f | wc -l) files"
