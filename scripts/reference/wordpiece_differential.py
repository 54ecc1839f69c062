#!/usr/bin/env python3
"""Random texts through `reco tokenize` and the pinned library; every difference is printed, and is a failure.

    python3 scripts/reference/wordpiece_differential.py build/bin/reco [--texts 100000] [--seed 1] [--model DIR]

Texts mix scripts, marks, spaces, controls, unassigned code points, special tokens, words around 100 characters, and (as
text lines) bytes that are not UTF-8. The vocabulary holds a token for almost every character, alone and as a continuation,
so that a wrong normalisation shows in the ids; --model takes a model's own vocabulary too.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

import wordpiece_reference as reference

RANGES = [
    (0x20, 0x7F), (0x61, 0x7B), (0x41, 0x5B), (0x30, 0x3A), (0x00, 0x20), (0x7F, 0xA1), (0xA1, 0x250), (0x250, 0x370),
    (0x300, 0x370), (0x300, 0x370), (0x370, 0x600), (0x590, 0x700), (0x700, 0x900), (0x900, 0xE00), (0xE00, 0x1000),
    (0x1000, 0x1200), (0x1100, 0x1200), (0x1200, 0x1E00), (0x1AB0, 0x1B00), (0x1DC0, 0x1E00), (0x1E00, 0x2000),
    (0x2000, 0x2070), (0x2070, 0x2C00), (0x20D0, 0x2100), (0x2C00, 0x3000), (0x3000, 0x3400), (0x3400, 0x4E00),
    (0x4E00, 0xA000), (0xA000, 0xAC00), (0xAC00, 0xD7A4), (0xD7A4, 0xD800), (0xE000, 0xF900), (0xF900, 0xFB00),
    (0xFB00, 0xFE00), (0xFE00, 0x10000), (0x10000, 0x12000), (0x11000, 0x11800), (0x12000, 0x1D000), (0x1D000, 0x1E000),
    (0x1E000, 0x1F000), (0x1F000, 0x1FB00), (0x20000, 0x33000), (0x2F800, 0x2FA20), (0xE0000, 0xE0200), (0x33000, 0x110000),
]  # fmt: skip
WORDS = ["[SEP]", "[MASK]", "[CLS]", "[UNK]", "[PAD]", "[sep]", "[", "]", "##", "un", "happy", "able", "running", " ", "  ",
         "\u0301", "\u0323", "\u0345", "\u302e", "İ", "Σ", "ß", "≠", "é", "e\u0301", "가", "\ufffd", "\u200d"]  # fmt: skip


def random_text(rng):
    def char():
        first, stop = rng.choice(pool)
        return chr(rng.randrange(first, stop))

    kind = rng.random()
    pool = rng.sample(RANGES, rng.randint(1, 4))
    if kind < 0.05:  # around the limit of a word
        c = char() if rng.random() < 0.7 else "a"
        return "".join(rng.choice([c, c, c, char()]) for _ in range(rng.randint(90, 110)))
    parts = []
    for _ in range(rng.randint(1, 25)):
        r = rng.random()
        if r < 0.2:
            parts.append(rng.choice(WORDS))
        elif r < 0.3:
            parts.append("".join(rng.choice("abcdefgABC0123") for _ in range(rng.randint(1, 20))))
        elif r < 0.4:
            parts.append(" ")
        else:
            parts.append("".join(char() for _ in range(rng.randint(1, 4))))
    return "".join(parts)


def random_bytes(rng):
    raw = bytearray(random_text(rng).encode("utf-8"))
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(raw) + 1)
        if rng.random() < 0.5:
            raw[at:at] = bytes(rng.choice([rng.randrange(256), rng.randrange(0x80, 256)]) for _ in range(rng.randint(1, 4)))
        elif raw:
            del raw[at : at + rng.randint(1, 3)]
    return bytes(raw).replace(b"\n", b" ").replace(b"\t", b" ")


def full_vocab():
    chars = [chr(c) for c in range(0x21, 0x33480) if not 0xD800 <= c < 0xE000 and not chr(c).isspace()]
    tokens = reference.make_vocab() + chars + ["##" + c for c in chars]
    return {token: i for i, token in enumerate(dict.fromkeys(tokens))}


def run_reco(reco, directory, texts, escape, as_json):
    command = [reco, "tokenize", "--quiet", "--model", directory, *(["--escape_special"] if escape else [])]
    if as_json:
        command += ["--format", "jsonl"]
        data = "".join(json.dumps({"query": t}) + "\n" for t in texts).encode()
    else:
        data = b"".join(t + b"\n" for t in texts)
    lines = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    rows = [json.loads(line)["input_ids"] if as_json else [int(i) for i in line.split()] for line in lines]
    return [row[1:-1] for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reco")
    parser.add_argument("--texts", type=int, default=100_000, help="texts a setting")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", help="directory whose vocab.txt is used besides the full one")
    args = parser.parse_args()

    vocabs = [full_vocab()]
    if args.model:
        vocabs.append(reference.read_vocab(os.path.join(args.model, "vocab.txt")))
    rng = random.Random(args.seed)
    compared = different = 0
    for vocab in vocabs:
        for variant, (lower, strip, cjk, escape) in reference.VARIANTS.items():
            with tempfile.TemporaryDirectory() as directory:
                with open(os.path.join(directory, "vocab.txt"), "w", encoding="utf-8", newline="\n") as f:
                    f.writelines(token + "\n" for token in vocab)
                with open(os.path.join(directory, "tokenizer_config.json"), "w", encoding="utf-8") as f:
                    json.dump({"do_lower_case": lower, "strip_accents": strip, "tokenize_chinese_chars": cjk}, f)
                t = reference.tokenizer(vocab, variant)
                for start in range(0, args.texts, 10_000):
                    count = min(10_000, args.texts - start)
                    as_json = start // 10_000 % 2 == 0
                    texts = [random_text(rng) if as_json else random_bytes(rng) for _ in range(count)]
                    decoded = texts if as_json else [raw.decode("utf-8", "replace") for raw in texts]
                    got = run_reco(args.reco, directory, texts, escape, as_json)
                    assert len(got) == count
                    for text, ids, expected in zip(texts, got, reference.encode(t, decoded)):
                        compared += 1
                        if ids != expected:
                            different += 1
                            if different <= 10:
                                print(f"{variant}: {text!r}\n  expected {expected}\n  got      {ids}")
            print(f"{len(vocab)} tokens, {variant}: {compared} texts compared, {different} differ", flush=True)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
