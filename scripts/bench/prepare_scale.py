#!/usr/bin/env python3
"""Time and memory of `reco doctor` and `reco prepare` as a CSV file grows: a real file's rows, repeated and perturbed.

    python3 scripts/bench/prepare_scale.py --reco build/release/bin/reco --model models/minilm --train_file train.csv \\
        --query_column query --description_column product_title,product_description --label_column median_relevance \\
        --gigabytes 1,3,10 --max_memory 768M --tmp_dir /var/tmp

Cleaning is on, duplicates, contradictions and leakage between splits included, so the sorted runs are spilled. Prints for
each size seconds, MB/s and the largest resident memory of the process; the file is removed after its turn.
"""
import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rows import grow_csv  # noqa: E402


def measured(command):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"failed ({os.waitstatus_to_exitcode(status)}): {' '.join(command)}\n{error[-2000:]}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("reco", "model", "train_file", "query_column", "description_column", "label_column"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--gigabytes", default="1,3,10")
    p.add_argument("--max_memory", default="768M")
    p.add_argument("--tmp_dir", default=None)
    p.add_argument("--threads", default="0")
    p.add_argument("--commands", default="doctor,prepare")
    a = p.parse_args()

    work = tempfile.mkdtemp(prefix="prepare_scale.", dir=a.tmp_dir)
    columns = ["--query_column", a.query_column, "--description_column", a.description_column, "--label_column",
               a.label_column, "--threads", a.threads, "--max_memory", a.max_memory, "--tmp_dir", work]
    clean = ["--clean", "html,script,control,whitespace,duplicates,contradictions,leaks",
             "--split", "train=0.9,validation=0.05,test=0.05"]
    print(f"{'GB':>5} {'rows':>12}  {'command':8} {'s':>8} {'CPU s':>8} {'MB/s':>7} {'peak MiB':>9}")
    try:
        for gigabytes in map(float, a.gigabytes.split(",")):
            source, out = os.path.join(work, "grown.csv"), os.path.join(work, "out")
            rows = grow_csv(a.train_file, source, gigabytes * 1e9, texts=a.description_column.split(","))
            size = os.path.getsize(source) / 1e6
            commands = {"doctor": [a.reco, "doctor", source, "--format", "json", "--output", os.path.join(work, "d.json")],
                        "prepare": [a.reco, "prepare", "--train_file", source, "--output_dir", out, "--quiet",
                                    "--model_name_or_path", a.model] + clean}
            for name in a.commands.split(","):
                seconds, cpu, peak = measured(commands[name] + columns)
                print(f"{gigabytes:5.1f} {rows:12,}  {name:8} {seconds:8.1f} {cpu:8.1f} {size / seconds:7.1f} {peak:9.0f}",
                      flush=True)
                shutil.rmtree(out, ignore_errors=True)
            os.remove(source)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
