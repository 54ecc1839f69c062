#!/usr/bin/env python3
"""`reco prepare` against pandas.read_csv + datasets.map(tokenizer) on the same file, in one run.

    python3 scripts/bench/prepare_speed.py --reco build/release/bin/reco --model models/minilm \\
        --train_file train.csv --query_column query --description_column product_title,product_description \\
        --label_column median_relevance --megabytes 60 --rounds 3 --threads 1,2

The file's rows are repeated, with a word of their own in each copy, until --megabytes. First the ids of every row must be
the same (without cleaning). Then both run in turn: reco as a whole process, with cleaning on; the peer without
its imports and without loading the tokeniser, from read_csv to the last row mapped and written to its cache. Each peer
run has a fresh cache. With --threads 1 both are bound to one processor.

Needs Python with pandas, datasets and transformers: run it with that interpreter.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rows import grow_csv  # noqa: E402

PEER = r"""
import os, sys, json, time
os.environ["HF_HUB_OFFLINE"] = "1"; os.environ["HF_DATASETS_OFFLINE"] = "1"
import pandas, datasets, transformers
a = json.loads(sys.argv[1])
datasets.disable_progress_bars()
tok = transformers.AutoTokenizer.from_pretrained(a["model"])
start = time.perf_counter()
frame = pandas.read_csv(a["file"], dtype=str, keep_default_na=False)
texts = frame[a["description"]].agg(lambda row: " ".join(t for t in row if t), axis=1) if len(a["description"]) > 1 \
    else frame[a["description"][0]]
data = datasets.Dataset.from_dict({"query": frame[a["query"]].tolist(), "text": texts.tolist(),
                                   "label": frame[a["label"]].tolist()})
done = data.map(lambda b: tok(b["query"], b["text"], truncation=False, verbose=False), batched=True,
                cache_file_name=a["cache"])
seconds = time.perf_counter() - start
if a["ids"]:
    with open(a["ids"], "w") as f:
        for ids in done["input_ids"]:
            f.write(" ".join(map(str, ids)) + "\n")
print(json.dumps({"seconds": seconds, "rows": len(done), "versions": [pandas.__version__, datasets.__version__,
                                                                  transformers.__version__]}))
"""


def run(command, **kwargs):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
    if done.returncode != 0:
        sys.exit(f"failed ({done.returncode}): {' '.join(command)}\n{done.stderr[-2000:]}")
    return done.stdout


def bound(command, threads):
    return ["taskset", "-c", ",".join(map(str, range(threads)))] + command


def reco_run(a, source, out, threads, cleaning):
    shutil.rmtree(out, ignore_errors=True)
    command = [a.reco, "prepare", "--train_file", source, "--query_column", a.query_column, "--description_column",
               a.description_column, "--label_column", a.label_column, "--model_name_or_path", a.model,
               "--output_dir", out, "--threads", str(threads), "--quiet"] + (["--clean", "all"] if cleaning else [])
    start = time.perf_counter()
    run(bound(command, threads))
    return time.perf_counter() - start


def peer_run(a, source, work, threads, ids=None):
    cache = tempfile.mkdtemp(dir=work)
    spec = {"model": a.model, "file": source, "query": a.query_column, "description": a.description_column.split(","),
            "label": a.label_column, "cache": os.path.join(cache, "cache.arrow"), "ids": ids}
    env = dict(os.environ, HF_HOME=cache, TOKENIZERS_PARALLELISM="true" if threads > 1 else "false",
               RAYON_NUM_THREADS=str(threads))
    result = json.loads(run(bound([sys.executable, "-c", PEER, json.dumps(spec)], threads), env=env))
    shutil.rmtree(cache)
    return result


def check_ids(a, source, work):
    """Every row's ids, uncut, as reco and as the peer have them."""
    out, theirs = os.path.join(work, "check"), os.path.join(work, "ids")
    reco_run(a, source, out, 1, cleaning=False)
    peer_run(a, source, work, 1, ids=theirs)
    shown = subprocess.Popen([a.reco, "show", out, "--split", "train", "--limit", "4000000000", "--format", "jsonl",
                              "--max_seq_length", "65536"], stdout=subprocess.PIPE, text=True)
    rows = 0
    with open(theirs) as f:
        for line, expected in zip(shown.stdout, f, strict=True):
            if json.loads(line)["input"]["ids"] != [int(i) for i in expected.split()]:
                sys.exit(f"row {rows + 1}: the ids differ")
            rows += 1
    if shown.wait() != 0:
        sys.exit("reco show failed")
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("reco", "model", "train_file", "query_column", "description_column", "label_column"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--megabytes", type=float, default=60)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--threads", default="1,2")
    a = p.parse_args()
    a.reco, a.model = os.path.abspath(a.reco), os.path.abspath(a.model)

    work = tempfile.mkdtemp(prefix="prepare_speed.")
    try:
        small, large = os.path.join(work, "small.csv"), os.path.join(work, "large.csv")
        texts = a.description_column.split(",")
        grow_csv(a.train_file, small, 1, texts=texts)
        print(f"ids equal in {check_ids(a, small, work):,} rows")
        rows = grow_csv(a.train_file, large, a.megabytes * 1e6, texts=texts)
        size = os.path.getsize(large) / 1e6
        versions = None
        print(f"{size:.0f} MB, {rows:,} rows; reco with --clean all\n"
              f"{'threads':>7} {'reco s':>8} {'peer s':>8} {'reco MB/s':>10} {'peer MB/s':>10} {'reco is':>9}")
        for threads in map(int, a.threads.split(",")):
            ours, theirs = [], []
            for _ in range(a.rounds):
                ours.append(reco_run(a, large, os.path.join(work, "out"), threads, cleaning=True))
                result = peer_run(a, large, work, threads)
                theirs.append(result["seconds"])
                versions = result["versions"]
            ratio = statistics.median(t / o for o, t in zip(ours, theirs))
            o, t = statistics.median(ours), statistics.median(theirs)
            print(f"{threads:7} {o:8.2f} {t:8.2f} {size / o:10.1f} {size / t:10.2f} {ratio:8.1f}x", flush=True)
        print("pandas {}, datasets {}, transformers {}".format(*versions))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
