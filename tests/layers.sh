#!/bin/sh
# A room includes headers of itself and of the rooms left of it only:  core <- data <- eval <- tch <- model <- train <- cli
# tch knows no files and no options: of the others it uses core alone. The commands in bin/reco include nothing of torch's side.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
rooms="core data eval tch model train cli"
failed=0

includes() { # includes FILE: the rooms it includes from
    sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([a-z]*\)\/.*/\1/p' "$1" | sort -u
}
complain() {
    echo "$1: must not include a header of $2/"
    failed=1
}

allowed=
for room in $rooms; do
    allowed="$allowed $room"
    here=$allowed
    [ $room != tch ] || here="core tch"
    for file in "$room"/*.[ch] "$room"/*.[ch]pp "$room"/*.cu "$room"/*.cuh; do
        [ -f "$file" ] || continue
        for used in $(includes "$file"); do
            case " $here " in *" $used "*) ;; *) complain "$file" "$used" ;; esac
        done
        if grep -Eq '#[[:space:]]*include[[:space:]]*["<](torch|ATen|c10|cuda)' "$file" && [ $room != tch ]; then
            echo "$file: only tch/ includes libtorch or CUDA"
            failed=1
        fi
    done
done
for file in cli/*.c; do
    base=$(basename "$file" .c)
    case $base in torch_*) continue ;; cmd_*) [ ! -f "cli/opts_${base#cmd_}.c" ] || continue ;; esac
    for used in $(includes "$file"); do
        case $used in tch | model | train) complain "$file" "$used" ;; esac
    done
done
[ $failed != 0 ] || echo "layers: all includes point left"
exit $failed
