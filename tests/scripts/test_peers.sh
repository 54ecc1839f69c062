#!/usr/bin/env bash
# Random predictions against scikit-learn and scipy, where RECO_PEERS_PYTHON names a python that has them.
# usage: test_peers.sh FOLDER_OF_RECO
set -euo pipefail
reference="$(cd "$(dirname "$0")/../../scripts/reference" && pwd)"
python="${RECO_PEERS_PYTHON:-}"
if [ -z "$python" ] || ! "$python" -c 'import scipy, sklearn' 2>/dev/null; then
  echo "skipped: RECO_PEERS_PYTHON names no python with scikit-learn and scipy"
  exit 77
fi
"$python" "$reference/metrics_fuzz.py" "$1/reco" --cases 60
"$python" "$reference/ranking_fuzz.py" "$1/reco" --cases 60
"$python" "$reference/decisions_fuzz.py" "$1/reco" --cases 40
