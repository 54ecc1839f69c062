#!/usr/bin/env bash
# From nothing to a report: sets up, builds Release, fetches MiniLM, prepares the bundled sample, fine-tunes and evaluates.
#
#   scripts/quickstart.sh [OUTPUT_DIR]     (default runs/quickstart; what an earlier run left there is replaced)
#
# LIBTORCH, RECO_CACHE as for scripts/setup.sh. A second run downloads nothing. Exit status: that of the first step that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
  -*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
    [ "$1" = --help ]
    exit
    ;;
esac
out=${1:-runs/quickstart}
started=$SECONDS

step() { printf '\n== %s\n' "$*" >&2; }
run() { # shows a command as one would type it, and runs it
  printf '$' >&2
  printf ' %q' "$@" >&2
  printf '\n' >&2
  "$@"
}

step 'set up'
LIBTORCH=$(scripts/setup.sh)

step 'build'
cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DLIBTORCH="$LIBTORCH" -DBUILD_TESTING=OFF -DRECO_CUDA=AUTO >&2
cmake --build build/release >&2
export PATH="$PWD/build/release/bin:$PATH"

step 'fetch a pretrained model'
scripts/fetch_model.sh minilm >&2

step 'prepare the sample'
mkdir -p "$out"
run reco prepare --train_file data/sample/train.csv --validation_file data/sample/dev.csv --test_file data/sample/test.csv \
  --id_column id --query_id_column query_id --query_column query \
  --item_id_column item_id --description_column title,description --label_column label \
  --position_column position --clicked_column clicked --converted_column converted --dwell_column dwell_s --depth_column depth \
  --model_name_or_path models/minilm --output_dir "$out/dataset" --overwrite >&2

step 'fine-tune'
run reco train --config configs/sample.yaml --dataset "$out/dataset" --model_name_or_path models/minilm \
  --output_dir "$out/run" --overwrite >&2

step 'predict and evaluate the test split'
run reco predict --model "$out/run" --dataset "$out/dataset" --split test --output "$out/predictions.tsv" >&2
run reco eval --predictions "$out/predictions.tsv" --output_dir "$out/report" --overwrite

cat <<END

written in $((SECONDS - started)) s:
  $out/dataset          the prepared pairs
  $out/run              the fine-tuned model, a Hugging Face directory
  $out/predictions.tsv  a row for each test pair
  $out/report           the report above, as text and JSON
reco itself is build/release/bin/reco
END
