#!/usr/bin/env bash
# README's table of bad input, row by row: the exit status, one line on stderr that tells the cause, nothing on stdout and nothing
# left behind but the list of rejects. Each case must have its row in README.
#   test_bad_input.sh DIR_OF_RECO
set -uo pipefail
bin=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
while read -r name; do unset "$name"; done < <(compgen -v RECO_)
export LC_ALL=C NO_COLOR=1 CI=1
failures=0 cases=0 skipped=0
have_torch=0
[ -x "$bin/../libexec/reco/reco-torch" ] && have_torch=1

fail() {
  printf 'FAILED: %s: %s\n' "$name" "$*"
  sed 's/^/    /' err | head -c 2000
  failures=$((failures + 1))
}
skip() { # skip NAME REASON
  printf 'skipped: %s: %s\n' "$1" "$2"
  skipped=$((skipped + 1))
}
bad() { # bad NAME STATUS PATTERN COMMAND...: README's name of the case; a pattern that the last line on stderr must match
  name=$1
  local status=$2 pattern=$3 got=0 line
  shift 3
  cases=$((cases + 1))
  rm -rf out err stdout out.* p.tsv*
  "$@" >stdout 2>err </dev/null || got=$?
  line=$(tail -n 1 err)
  [ "$got" = "$status" ] || fail "exit status $got, expected $status"
  [[ $line == reco\ * ]] || fail "the last line on stderr is no error of reco"
  [ "$(grep -c '^reco ' err)" = 1 ] || fail 'not one error line'
  grep -Eq -- "$pattern" <<<"$line" || fail "no error like '$pattern'"
  [ -s stdout ] && fail 'something is on stdout'
  for left in out out.tmp.* p.tsv*; do
    [ ! -e "$left" ] || fail "'$left' is left behind"
  done
  grep -Fq "| $name |" "$source/README.md" || fail 'has no row in README'
  grep -F "| $name |" "$source/README.md" | grep -q "| $status |" || fail "README gives another exit status than $status"
}

cp -R "$source/tests/reference/bert_tiny" model
chmod -R u+w model
columns=(--query_column query --description_column title --label_column label)
data=(--model_name_or_path model "${columns[@]}" --output_dir out)
prepare() { # prepare FILE OPTIONS...
  local file=$1
  shift
  "$bin/reco" prepare --train_file "$file" "${data[@]}" "$@"
}
rows() { # rows FILE COUNT: a good file, labels 1 to 4
  awk -v n="$2" 'BEGIN { print "query,title,label"; for (i = 1; i <= n; i++) printf "red kettle %d,kettle in red %d,%d\n", i, i, 1 + i % 4 }' >"$1"
}
rows good.csv 40
prepare good.csv --output_dir ds >/dev/null 2>&1 || echo 'no dataset could be made'

# Files
bad 'a file that is missing' 4 "'none.csv'.*[Nn]o such file" prepare none.csv
mkdir -p folder
bad 'a directory instead of a file' 4 "'folder'.*directory" prepare folder
: >empty.csv
bad 'an empty file' 3 "'empty.csv'.*empty" prepare empty.csv
echo 'query,title,label' >header.csv
bad 'a file with a header only' 3 "'header.csv'.*(no rows|no row|header)" prepare header.csv
bad 'a column that does not exist' 2 "'titel'.*'title'" prepare good.csv --description_column titel
(cat good.csv; echo 'q,t,9') >label.csv
bad 'a label that is not in the map' 3 "label" prepare label.csv --labels 1,2,3,4 --max_bad_rows 0
awk -F, 'NR == 1 || $3 == 2' good.csv >one.csv
bad 'one class only' 3 "(one|1|2).*(label|class|value)" prepare one.csv
{ head -n 3 good.csv; printf 'a\0b,t,1\n'; printf 'c,t\0,2\n'; } >nul.csv
bad 'NUL bytes' 3 "rows are bad" prepare nul.csv
{ head -n 3 good.csv; for _ in 1 2; do printf 'q,'; head -c 100000000 /dev/zero | tr '\0' x; printf ',1\n'; done; } >long.csv
bad 'a field of 100 MB' 3 "rows are bad" prepare long.csv
rm long.csv
{ echo 'query,title,label'; printf '"red kettle,kettle,1\n'; printf 'a "b" c","d,1\n'; tail -n 5 good.csv; } >quote.csv
bad 'a broken quote in the first row' 3 "rows are bad" prepare quote.csv --max_bad_rows 0

# Options
run=(--dataset ds --model_name_or_path model --output_dir out)
# shellcheck disable=SC2016 # README's backquotes
bad '`--learning_rate abc`' 2 "--learning_rate: 'abc'" "$bin/reco" train "${run[@]}" --learning_rate abc
# shellcheck disable=SC2016
bad '`--max_seq_length 100000`' 2 "--max_seq_length" "$bin/reco" train "${run[@]}" --max_seq_length 100000
bad 'an unknown option' 2 "learning_rte.*learning_rate" "$bin/reco" train "${run[@]}" --learning_rte 1
mkdir full && touch full/x
bad 'output into a directory that is not empty' 2 "overwrite" prepare good.csv --output_dir full

# Disk: a small file system of its own, where this user may mount one
small() { # small MOUNT_OPTIONS SCRIPT: runs SCRIPT with a fresh tmpfs at mnt
  local namespace=-rm
  [ "$(id -u)" != 0 ] || namespace=-m # root needs no user namespace, and may have none in a chroot
  mkdir -p mnt
  # shellcheck disable=SC2016 # the inner shell expands them
  unshare $namespace sh -c 'mount -t tmpfs -o size=64k tmpfs mnt && { [ -z "$0" ] || mount -o "remount,$0" mnt; } && eval "$1"' "$1" "$2"
}
if small '' true 2>/dev/null; then
  rows big.csv 20000
  prepare_to="'$bin/reco' prepare --train_file big.csv --model_name_or_path model ${columns[*]} --output_dir mnt/ds"
  bad 'a full disk' 4 "[Nn]o space left" small '' "$prepare_to; s=\$?; ls mnt | grep -q . && echo \"left behind: \$(ls mnt)\" >&2; exit \$s"
  bad 'an output that is read-only' 4 "[Rr]ead-only" small ro "$prepare_to"
else
  skip 'a full disk, an output that is read-only' 'no file system can be mounted here'
fi

# Models
if [ $have_torch = 1 ]; then
  # shellcheck disable=SC2317 # called through bad
  train() { # train MODEL OPTIONS...
    local model=$1
    shift
    "$bin/reco" train --dataset ds --model_name_or_path "$model" --output_dir out --device cpu --max_seq_length 32 "$@"
  }
  twin() { rm -rf twin && cp -R model twin; }
  twin && truncate -s 20000 twin/model.safetensors
  bad 'weights that are cut short' 6 "model.safetensors" train twin
  twin && sed -i 's/"model_type": "bert"/"model_type": "gpt2"/; s/BertFor/GPT2For/' twin/config.json
  bad 'a model of another architecture' 6 "gpt2" train twin
  twin && sed -i 's/"vocab_size": [0-9]*/"vocab_size": 301/' twin/config.json
  bad 'a vocabulary of another size' 6 "30[01]" train twin
  twin && mv twin/model.safetensors twin/pytorch_model.bin
  bad 'weights only as pytorch_model.bin' 6 "safetensors" train twin
  twin && sed -i 's/"hidden_act": "gelu"/"hidden_act": "swish9"/' twin/config.json
  bad 'an activation that is unknown' 6 "swish9" train twin
  bad 'more tokens than the model has positions' 2 "max_seq_length.*64" train model --max_seq_length 1000
  if [ -e /dev/nvidiactl ]; then
    skip 'CUDA where there is none' 'there is a GPU'
  else
    bad 'CUDA where there is none' 6 "[Cc][Uu][Dd][Aa]" train model --device cuda
  fi
else
  skip 'models' 'this build has no reco-torch'
fi

echo "$cases cases, $failures failures, $skipped skipped"
exit $((failures > 0))
