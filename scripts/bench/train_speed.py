#!/usr/bin/env python3
"""Training speed of reco against transformers' Trainer: the same pairs, weights, batch and precision, in one run.

First both must give the same probabilities from the same weights; then the programs run in turn (reco, peer, reco, …) and
the ratio is taken pair by pair. The share of the machine's limit is the rate of useful arithmetic (6 FLOP a weight
of the encoder and a token, plus attention) over that of one matrix product at the feed-forward's shape.

    python3 scripts/bench/train_speed.py --model models/minilm --train_file data/sample/train.csv --rounds 3
    python3 scripts/bench/train_speed.py --bert_base --train_file FILE --device cuda --bf16 --group_by_length --compile

Needs Python with torch and transformers (scripts/reference/requirements.txt): run it with that interpreter.
"""
import argparse
import csv
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer_trainer.py")
CHECK_ROWS = 64  # compared before anything is timed


def run(command, **kwargs):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
    if done.returncode != 0:
        sys.exit(f"failed ({done.returncode}): {' '.join(command)}\n{done.stderr[-2000:]}")
    return done.stdout


def data_options(a):
    return ["--query_column", a.query_column, "--description_column", a.description_column,
            "--label_column", a.label_column]


def device_options(a):
    options = ["--device", a.device] + (["--bf16"] if a.bf16 else [])
    return options + (["--threads", str(a.threads)] if a.threads else [])


def prepare(a, model, work):
    run([a.reco, "prepare", "--train_file", a.train_file, "--model_name_or_path", model,
         "--output_dir", f"{work}/ds", *data_options(a)])
    return f"{work}/ds"


def train(a, model, dataset, out, steps, extra=()):
    run([a.reco, "train", "--dataset", dataset, "--model_name_or_path", model, "--output_dir", out, "--overwrite",
         "--max_steps", str(steps), "--per_device_train_batch_size", str(a.batch), "--learning_rate", "5e-5",
         "--weight_decay", "0.01", "--max_seq_length", str(a.max_seq_length), "--save_strategy", "no",
         "--eval_strategy", "no", "--logging_steps", str(a.warmup), "--ignore_mismatched_sizes",
         *device_options(a), *extra])
    with open(f"{out}/train.jsonl", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def reco_rate(a, model, dataset, work):
    """Pairs a second between the first logged step and the last: the log holds the mean rate since the start."""
    log = train(a, model, dataset, f"{work}/run", a.steps)
    steps = [e for e in log if e["event"] == "train"]
    first, last = steps[0], steps[-1]
    seconds = [e["step"] * a.batch / e["pairs_per_s"] for e in (first, last)]
    peak = next((e["peak_bytes"] for e in log if "peak_bytes" in e), None)
    return {"pairs_per_s": (last["step"] - first["step"]) * a.batch / (seconds[1] - seconds[0]), "peak_bytes": peak}


def peer_options(a, model):
    options = [sys.executable, PEER, "--model", model, "--train_file", a.train_file, *data_options(a), "--device",
               a.device, "--batch", str(a.batch), "--max_seq_length", str(a.max_seq_length)]
    return options + (["--threads", str(a.threads)] if a.threads else [])


def peer_rate(a, model, compiled):
    options = ["--steps", str(a.steps), "--warmup", str(a.warmup), "--padding", a.padding]
    for flag, on in (("--bf16", a.bf16), ("--group_by_length", a.group_by_length), ("--compile", compiled)):
        options += [flag] if on else []
    return json.loads(run(peer_options(a, model) + options).splitlines()[-1])


def check_equal(a, model, work):
    """Both programs on the first rows, before any training; stops when they differ. Returns the largest difference."""
    small = f"{work}/check.csv"
    with open(a.train_file, newline="", encoding="utf-8") as source, open(small, "w", newline="", encoding="utf-8") as to:
        reader, writer = csv.reader(source), csv.writer(to)
        for _, row in zip(range(CHECK_ROWS + 1), reader):
            writer.writerow(row)
    run([a.reco, "predict", "--model", model, "--test_file", small, "--output", f"{work}/check.tsv",
         "--max_seq_length", str(a.max_seq_length), "--device", a.device, *data_options(a)])
    with open(f"{work}/check.tsv", encoding="utf-8") as f:
        ours = [[float(v) for k, v in r.items() if k.startswith("p_")]
                for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)]
    theirs = json.loads(run(peer_options(a, model) + ["--check", str(len(ours))]).splitlines()[-1])["probabilities"]
    worst = max(abs(x - y) for p, q in zip(ours, theirs, strict=True) for x, y in zip(p, q, strict=True))
    if not worst < 1e-4:
        sys.exit(f"reco and the peer disagree before any training: probabilities differ by {worst:g}")
    return worst


def gemm_flops(a, config, tokens):
    """FLOP/s of a matrix product at [tokens of a batch, hidden] x [hidden, intermediate]."""
    import torch
    if a.threads:
        torch.set_num_threads(a.threads)
    kind = torch.bfloat16 if a.bf16 else torch.float32
    n, h, i = max(1, round(tokens * a.batch)), config["hidden_size"], config["intermediate_size"]
    x, w = (torch.randn(*shape, device=a.device, dtype=kind) for shape in ((n, h), (h, i)))

    def wait():
        if a.device == "cuda":
            torch.cuda.synchronize()
    best = math.inf
    for _ in range(5):
        wait()
        begin, count = time.monotonic(), 0
        while count < 10 or time.monotonic() - begin < 0.5:
            torch.matmul(x, w)
            count += 1
        wait()
        best = min(best, (time.monotonic() - begin) / count)
    return 2 * n * h * i / best


def pair_flops(config, tokens):
    h, i, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    return layers * tokens * (6 * (4 * h * h + 2 * h * i) + 12 * tokens * h)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--reco", default=os.path.join(ROOT, "build", "bin", "reco"))
    a.add_argument("--model", default=os.path.join(ROOT, "models", "minilm"))
    a.add_argument("--bert_base", action="store_true", help="random weights of bert-base's shape, --model's vocabulary")
    a.add_argument("--train_file", required=True)
    a.add_argument("--query_column", default="query")
    a.add_argument("--description_column", default="title")
    a.add_argument("--label_column", default="label")
    a.add_argument("--batch", type=int, default=16)
    a.add_argument("--steps", type=int, default=60)
    a.add_argument("--warmup", type=int, default=10)
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--max_seq_length", type=int, default=128)
    a.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    a.add_argument("--threads", type=int, default=0)
    a.add_argument("--bf16", action="store_true")
    a.add_argument("--padding", choices=("longest", "max_length"), default="longest")
    a.add_argument("--group_by_length", action="store_true")
    a.add_argument("--compile", action="store_true", help="a second peer with torch.compile")
    a = a.parse_args()
    if a.steps % a.warmup != 0 or a.steps <= a.warmup:
        sys.exit("--steps must be a multiple of --warmup, and above it")

    with tempfile.TemporaryDirectory() as work:
        model = a.model
        if a.bert_base:
            model = f"{work}/bert-base"
            run([a.reco, "init", "--vocab", f"{a.model}/vocab.txt", "--output_dir", model, "--hidden_size", "768",
                 "--num_hidden_layers", "12", "--num_attention_heads", "12", "--intermediate_size", "3072"])
        dataset = prepare(a, model, work)
        # One step of reco gives a directory with the classifier and the label map that both sides then start from.
        start = f"{work}/start"
        train(a, model, dataset, start, 1, ("--logging_steps", "1"))
        print(f"probabilities agree within {check_equal(a, start, work):.2g}")

        peers = {"Trainer": False} | ({"Trainer + torch.compile": True} if a.compile else {})
        rates = {name: [] for name in ("reco", *peers)}
        peaks, tokens = {}, 0
        for _ in range(a.rounds):
            for name in rates:
                r = reco_rate(a, start, dataset, work) if name == "reco" else peer_rate(a, start, peers[name])
                rates[name].append(r["pairs_per_s"])
                peaks[name] = r["peak_bytes"]
                tokens = r.get("tokens_per_pair", tokens)
        with open(f"{start}/config.json", encoding="utf-8") as f:
            config = json.load(f)
        limit = gemm_flops(a, config, tokens)

    import torch
    where = torch.cuda.get_device_name() if a.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    precision = "bf16" if a.bf16 else "fp32"
    print(f"{where}, torch {torch.__version__}, {precision}, batch {a.batch}, {tokens:.1f} tokens a pair, "
          f"GEMM {limit / 1e9:.0f} GFLOP/s")
    print(f"{'':26}{'pairs/s':>10}{'share of GEMM':>15}{'peak MiB':>10}{'reco is':>9}")
    for name, values in rates.items():
        median = statistics.median(values)
        ratio = statistics.median(r / v for r, v in zip(rates["reco"], values))
        peak = f"{peaks[name] / 2**20:.0f}" if peaks[name] else "-"
        print(f"{name:26}{median:10.1f}{median * pair_flops(config, tokens) / limit:15.1%}{peak:>10}{ratio:8.2f}x")


if __name__ == "__main__":
    main()
