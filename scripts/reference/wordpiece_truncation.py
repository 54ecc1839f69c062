#!/usr/bin/env python3
"""Prints what transformers' tokenizer keeps of pairs and single texts of every small length.

    python3 scripts/reference/wordpiece_truncation.py > tests/reference/wordpiece_truncation.txt

A line: max_length, strategy, tokens of the first text, then for a single text ("s") and for a second text of 0, 1, ... tokens
what is left of each: "first,second", or "-" where transformers raises an error. Encoded as lists of one pair: for a pair of
plain strings transformers takes an empty second text for none.
"""

import os
import sys
import tempfile

import transformers
from transformers import BertTokenizer

PINNED = "5.23.0"
MAX_LENGTH, MAX_TOKENS = 12, 11


def main():
    if transformers.__version__ != PINNED:
        sys.exit(f"transformers {PINNED} wanted, {transformers.__version__} found")
    with tempfile.TemporaryDirectory() as directory:
        vocab = os.path.join(directory, "vocab.txt")
        with open(vocab, "w", encoding="utf-8") as f:
            f.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n")
        t = BertTokenizer(vocab)

    def kept(first, second, max_length, strategy):
        a, b = ["a " * first], None if second is None else ["b " * second]
        try:
            ids = t(a, b, truncation=strategy, max_length=max_length)["input_ids"][0]
        except Exception:  # the library's own exception type is Exception
            return "-"
        return f"{ids.count(5)},{ids.count(6)}"

    for strategy in ("longest_first", "only_second"):
        for max_length in range(3, MAX_LENGTH + 1):
            for first in range(MAX_TOKENS + 1):
                row = [kept(first, None, max_length, strategy)]
                row += [kept(first, second, max_length, strategy) for second in range(MAX_TOKENS + 1)]
                print(max_length, strategy, first, *row)


if __name__ == "__main__":
    main()
