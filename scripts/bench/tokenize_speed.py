#!/usr/bin/env python3
"""reco's tokeniser against the `tokenizers` library behind transformers' fast tokenizer, on the same texts in one run.

    cmake --build build --target tokenize_bench
    python3 scripts/bench/tokenize_speed.py build models/minilm FILE... [--columns query,title] [--threads 1,2]

A .csv file gives one text a row: the columns named, joined by a blank (default: all that hold words); queries are
repeated as they are in it. Any other file gives one text a line. First the ids of every text must be the same. Then, in
turns, both encode all texts that lie in memory, without opening, reading or writing anything:

    reco      build/bench/tokenize_bench: wordpiece_encode, the files' rows one after the other
    library   encode_batch_fast, without offsets, one thread (TOKENIZERS_PARALLELISM=false)

and `reco tokenize` as a whole process, from a file to ids as text. Rates are MB of UTF-8 a second of processor time, the
best of the rounds; for several threads they are of the clock, and mean something on as many idle processors only.
"""

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import tokenizers  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

csv.field_size_limit(1 << 30)


def read_texts(path, columns):
    if not path.endswith(".csv"):
        with open(path, "rb") as f:
            texts = f.read().replace(b"\t", b" ").decode("utf-8", "replace").split("\n")
        return texts[:-1] if texts[-1] == "" else texts
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.reader(f))
    header, rows = rows[0], rows[1:]
    wanted = [i for i, name in enumerate(header) if name in columns]
    if not wanted:
        words = [sum(any(c.isalpha() for c in row[i]) for row in rows[:200]) for i in range(len(header))]
        wanted = [i for i, n in enumerate(words) if n * 2 > len(rows[:200])]
    table = str.maketrans("\r\n\t", "   ")
    return [" ".join(row[i] for i in wanted).translate(table) for row in rows]


def tool_rounds(tool, model, source, threads, seconds):
    command = [tool, model, source, str(threads), str(seconds)]
    lines = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split("\n")
    return [tuple(map(float, line.split())) for line in lines if line]


def process_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("model")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--columns", default="", help="columns of CSV files")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--library_mb", type=float, default=2, help="text that the library encodes in a turn")
    args = parser.parse_args()
    tool, reco = os.path.join(args.build, "bench", "tokenize_bench"), os.path.join(args.build, "bin", "reco")
    threads = [int(n) for n in args.threads.split(",")]

    library = AutoTokenizer.from_pretrained(args.model)._tokenizer
    library.no_truncation()
    library.no_padding()
    print(f"MB/s; tokenizers {tokenizers.__version__}, {os.cpu_count()} processors")
    heads = ["library"] + [f"reco {n}t" for n in threads] + ["ratio", "process", "ratio"]
    print("".join(f"{head:>9}" for head in heads) + "   texts")
    for path in args.files:
        texts = read_texts(path, args.columns.split(","))
        data = "".join(text + "\n" for text in texts).encode("utf-8")
        megabytes = (len(data) - len(texts)) / 1e6
        share = max(1, int(len(texts) * min(1.0, args.library_mb / megabytes)))
        share_megabytes = sum(len(text.encode("utf-8")) for text in texts[:share]) / 1e6
        copies = max(1, int(40e6 / len(data)))  # so that the process is not its opening alone
        with tempfile.TemporaryDirectory() as folder:
            once, many = os.path.join(folder, "once"), os.path.join(folder, "many")
            with open(once, "wb") as f:
                f.write(data)
            with open(many, "wb") as f:
                f.write(data * copies)
            ours = subprocess.run([tool, args.model, once, "0", "0"], stdout=subprocess.PIPE, check=True).stdout
            expected = "".join(" ".join(map(str, e.ids)) + "\n" for e in library.encode_batch_fast(texts))
            if ours.decode() != expected:
                sys.exit(f"{path}: the ids differ")
            best = {}

            def keep(name, rate):
                best[name] = max(best.get(name, 0.0), rate)

            for _ in range(args.rounds):
                start = time.process_time()
                library.encode_batch_fast(texts[:share])
                keep("library", share_megabytes / (time.process_time() - start))
                for n in threads:
                    for wall, processor in tool_rounds(tool, args.model, once, n, 0.3):
                        keep(n, megabytes / (processor if n == 1 else wall))
                seconds = process_seconds([reco, "tokenize", "--quiet", "--model", args.model, many])
                keep("process", megabytes * copies / seconds)
        one = best.get(1, best[threads[0]])
        row = [f"{best['library']:9.2f}"] + [f"{best[n]:9.1f}" for n in threads]
        row += [f"{one / best['library']:9.0f}", f"{best['process']:9.1f}", f"{best['process'] / best['library']:9.0f}"]
        name = os.path.join(os.path.basename(os.path.dirname(path)), os.path.basename(path))
        print("".join(row) + f"   {name}: {len(texts)} of {megabytes * 1e6 / len(texts):.0f} bytes", flush=True)


if __name__ == "__main__":
    main()
