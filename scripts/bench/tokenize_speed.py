#!/usr/bin/env python3
"""`reco tokenize` against the `tokenizers` library on the same lines, one thread each, in one run.

    python3 scripts/bench/tokenize_speed.py build/bin/reco models/minilm FILE... [--repeat 5]

First every line's ids must be the same. reco is timed as a whole process that reads the file and writes ids as text; the
library from texts already in memory to encodings without offsets (encode_batch_fast). Best of --repeat, processor time.
"""

import argparse
import os
import resource
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import tokenizers  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402


def reco_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, output


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reco")
    parser.add_argument("model")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()

    library = AutoTokenizer.from_pretrained(args.model)._tokenizer
    library.no_truncation()
    library.no_padding()
    print(f"tokenizers {tokenizers.__version__}; MB/s of one core")
    print(f"{'reco':>8} {'library':>8} {'ratio':>7}  file")
    for path in args.files:
        with open(path, "rb") as f:
            data = f.read().replace(b"\t", b" ")  # a tab would make a pair
        texts = [line.decode("utf-8", "replace") for line in data.split(b"\n")]
        if texts[-1] == "":
            texts.pop()
        source = f"/tmp/tokenize_speed.{os.getpid()}"
        with open(source, "wb") as f:
            f.write(data)
        try:
            command = [args.reco, "tokenize", "--quiet", "--model", args.model, source]
            ours = [reco_seconds(command) for _ in range(args.repeat)]
        finally:
            os.remove(source)
        theirs = []
        for _ in range(args.repeat):
            start = time.process_time()
            encodings = library.encode_batch_fast(texts)
            theirs.append(time.process_time() - start)
        expected = "".join(" ".join(map(str, e.ids)) + "\n" for e in encodings)
        if ours[0][1].decode() != expected:
            sys.exit(f"{path}: the ids differ")
        reco, peer = (len(data) / 1e6 / min(seconds) for seconds in ([o[0] for o in ours], theirs))
        print(f"{reco:8.1f} {peer:8.2f} {reco / peer:7.1f}  {os.path.basename(os.path.dirname(path))}/{os.path.basename(path)}")


if __name__ == "__main__":
    main()
