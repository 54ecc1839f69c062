#!/usr/bin/env python3
"""Writes the tokeniser's reference values: a small vocabulary, a stress list, and what the pinned library makes of them.

    python3 scripts/reference/wordpiece_reference.py tests/reference [--minilm DIR] [--data DIR]

    wordpiece_vocab.txt        vocabulary of our own: characters of many scripts, word pieces, CJK
    wordpiece_stress.txt       one text a line, bytes outside printable ASCII and the backslash written as \\xNN
    wordpiece_ids.txt          for each variant of the options, the ids of every stress text under that vocabulary
    wordpiece_code_points.txt  for each variant and block of 4096 code points, a CRC-32 of the normalised words
    wordpiece_hashes.txt       CRC-32 of the ids of larger texts: the stress list under the MiniLM vocabulary (--minilm), and
                               every line of the real files (--data); lines for what is not given are kept as they are

CRC-32 (zlib) of ids: each id as four bytes, least significant first, and FF FF FF FF after each text.
"""

import argparse
import array
import os
import sys
import unicodedata
import zlib

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

PINNED = "0.23.3"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# name: lower case, strip_accents, tokenize_chinese_chars, escape_special
VARIANTS = {
    "lower": (True, None, True, False),
    "cased": (False, None, True, False),
    "lower_keep": (True, False, True, False),
    "cased_strip": (False, True, True, False),
    "lower_nocjk": (True, None, False, False),
    "lower_escape": (True, None, True, True),
}
FILE_VARIANTS = ["lower", "cased"]
DATA_FILES = [
    "afqmc_zh/dev.csv", "afqmc_zh/train.csv", "amazon_google/amazon_google_test.csv",
    "amazon_google/amazon_google_train.csv", "amazon_google/amazon_google_valid.csv", "chorus_icecat/pairs.csv",
    "crowdflower/train.csv", "crowdflower/train_mojibake.csv", "ctr_cvr_tiny/yidian_news.csv", "esci_ubi/events.csv",
    "esci_ubi/judgments.csv", "hillstrom/hillstrom.csv", "lcqmc_zh/dev.csv", "ml-100k/ml-100k.item", "qbqtc_zh/dev.csv",
    "shopee_titles/train.csv",
]  # fmt: skip


def tokenizer(vocab, variant):
    """The tokenizer that transformers' BertTokenizer builds."""
    lower, strip, cjk, escape = VARIANTS[variant]
    t = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=cjk, strip_accents=strip, lowercase=lower
    )
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in SPECIALS])
    t.encode_special_tokens = escape
    return t


def read_vocab(path):
    with open(path, encoding="utf-8", newline="\n") as f:
        return {line.rstrip(): i for i, line in enumerate(f)}


def encode(t, texts):
    for start in range(0, len(texts), 2000):
        for e in t.encode_batch(texts[start : start + 2000], add_special_tokens=False):
            yield e.ids


def ids_crc(all_ids):
    crc = count = 0
    for ids in all_ids:
        row = array.array("I", ids)
        row.append(0xFFFFFFFF)
        if sys.byteorder == "big":
            row.byteswap()
        crc = zlib.crc32(row.tobytes(), crc)
        count += len(ids)
    return count, crc


def make_vocab():
    singles = [chr(c) for c in range(0x21, 0x7F)]
    ranges = [
        (0xA1, 0x250), (0x300, 0x345), (0x370, 0x400), (0x400, 0x460), (0x5D0, 0x5EB), (0x621, 0x653), (0x905, 0x94E),
        (0xE01, 0xE3B), (0x1100, 0x1113), (0x1161, 0x1176), (0x11A8, 0x11C3), (0x1EA0, 0x1EFA), (0x2010, 0x2028),
        (0x20A0, 0x20AD), (0x2190, 0x2196), (0x2200, 0x2210), (0x3001, 0x3012), (0x3041, 0x3097), (0x30A1, 0x30FB),
        (0x4E00, 0x4E80), (0xAC00, 0xAC1D), (0xFF01, 0xFF5F), (0x1F600, 0x1F610),
    ]  # fmt: skip
    for first, stop in ranges:
        singles += [chr(c) for c in range(first, stop)]
    singles += list("的一是不了人我在有他这为之大来以个中上们手机苹果充电线红色鞋子美国行货包邮𠀀𠀁")
    singles += ["\u302e", "\u0345", "\U0001d165", "\ufe0f", "\u20e3", "☺", "❤", "👍", "👩", "💻", "\U0001f3fd"]
    singles = [s for s in dict.fromkeys(singles) if s.strip()]
    words = """the and for with red blue shoe shoes running run cable usb charger wireless mouse keyboard phone case
    cover black white large small unhappy un happy afford affordable able coffee cafe naive resume istanbul strasse
    straße Paris London iPhone X XL size cm mm kg ml pack of 2 10 100 1000 12 240 v volt w watt unk sep mask cls pad
    pad0 hello world ab abc abcd""".split()
    pieces = """##s ##ing ##ed ##er ##est ##able ##ly ##ness ##happy ##ord ##fee ##phone ##00 ##10 ##b ##bc ##bcd
    ##line ##less ##able ##ff ##fo ##sep ##unk""".split()
    tokens = SPECIALS + [f"[unused{i}]" for i in range(4)] + singles + ["##" + s for s in singles] + words + pieces
    return list(dict.fromkeys(tokens))


def by_category():
    """A few code points of every general category, the first, some in the middle and the last."""
    found = {}
    for c in range(0x110000):
        found.setdefault(unicodedata.category(chr(c)), []).append(c)
    for name, members in sorted(found.items()):
        if name == "Cs":
            continue  # not in UTF-8; as bytes they are in the list of invalid texts
        step = max(1, len(members) // 11)
        yield name, list(dict.fromkeys([members[0], *members[::step], members[-1]]))


def make_stress():
    texts = []
    for _, members in by_category():
        texts.append("".join(f"a{chr(c)}b " for c in members))
        texts.append("".join(chr(c) for c in members))
        texts.append(" ".join(f"{chr(c)}\u0323\u0301{chr(c)}" for c in members))
    texts += [
        "", " ", "\t \r\n", "\0", "a\0b", "\0\0a", "hello world", "Hello, World!", "UNHAPPY unhappily unaffordable",
        "the-red_shoe's (size: 10.5) $100 50% #1 a@b.c http://x.y/z?q=1&r=2", "a  b\u00a0c\u2003d\u3000e\u2028f\u2029g",
        "a\u0085b\u000bc\u000cd\u001ce\u001ff\u007fg\u0080h", "soft\u00adhyphen zero\u200bwidth\u200djoin\u2060er\ufeffbom",
        "\ufeffhello", "left\u200eto\u200fright\u202aembed\u202c",
        # accents: composed, decomposed, and marks in both orders
        "café cafe\u0301 CAFÉ CAFE\u0301", "naïve résumé Ångström A\u030angstro\u0308m", "Việt Nam Vie\u0323\u0302t Vie\u0302\u0323t",
        "q\u0307\u0323 q\u0323\u0307 \u0307\u0323 \u0323\u0307a", "İstanbul ISTANBUL ıstanbul istanbul I\u0307stanbul",
        "Straße STRASSE ẞ ß ﬁne ﬀ ﬃ", "ΟΔΥΣΣΕΥΣ Ὀδυσσεύς ΣΑΣ σας ς Σ ΑΣ", "ǅ ǆ Ǆ ᾈ ᾳ ΐ ΰ ŉ ǰ", "Ω Ω K K Å Å µ μ",
        "ё й Ё Й е\u0308 и\u0306 Ў ї", "שָׁלוֹם שלום", "مُحَمَّد محمد", "हिन्दी क़ क\u093c ड़", "ภาษาไทย ไม่มี", "ক\u09c7\u09be ো",
        "\u0cc0 \u0cca \u0ccb ka\u0cbf\u0cd5", "≠ = ≮ < ≯ > ∌ ≄ a≠b x=y", "\u037e ; \u0387 · \u1fef `",
        "a\u302e\u0323b a\u0323\u302eb \U0001d157\U0001d165\u0323 \u0323\U0001d165", "\u0344 \u0343 \u0340 \u0341 a\u0345\u0301",
        "\u0301abc", " \u0301 ", "中\u0301文", "!\u0301!", "a\u0334\u0345\u0301\u0323\u093c\u05b0\u064bb",
        # Hangul
        "한국어 \u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165 가각힣 ㄱㅏ ﾡ", "가\u0301 \u1100\u0301\u1161",
        # CJK
        "中文ABC混合123的一是不了", "手机苹果充电线，红色鞋子。「美国行货」包邮！", "𠀀𠀁𪛖 豈更車 \uf900\ufad9 〇々〆 ㈱㍻ ｶﾞ ガ カ\u3099",
        "日本語テキスト ひらがな カタカナ", "한字mixed漢字", "\u3400\u4dbf\u4dc0\u9fff\ua000",
        # full width and compatibility
        "ＡＢＣ１２３，．！？ ａｂｃ ￥ ＂", "①②③ Ⅳ ⅳ ℡ ℃ №",
        # emoji
        "👍👍🏽 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🇬🇧 1️⃣ ☺️ ❤️ a👍b", "😀😃😄hello😀world😀",
        # long words around the limit of 100 characters, and far over it
        "a" * 99, "a" * 100, "a" * 101, "é" * 100, "é" * 101, "e\u0301" * 100, "e\u0301" * 101, "가" * 33, "가" * 34, "가" * 50,
        "가" * 51, "中" * 101, "." * 101, "x" * 15, "x" * 16, "x" * 17, "x" * 10000, "é" * 10000, "\u0301" * 1000,
        "a" + "\u0301" * 1000 + "b", "ab " * 200, "a" * 10000 + " b " + "c" * 10000, "\u302e" * 101, "un" * 50 + "able",
        "unaffordable" * 8, "unaffordable" * 9, "z" * 50 + "é" + "z" * 49, "z" * 50 + "é" + "z" * 50,
        "x" * 15 + "é", "x" * 16 + "é", "x" * 17 + "\u0301y", "x" * 15 + "\x01" + "y", "x" * 16 + "\x01" + "y", "abc\x01d \x02 e",
        # special tokens in the text
        "[SEP]", "[MASK] [CLS] [UNK] [PAD] [SEP]", "a[SEP]b", "[[SEP]]", "[SEP", "SEP]", "[sep]", "[Sep]", "[ SEP ]", "[SEP][SEP]",
        "[CLS][MASK]", "é[MASK]é", "中[SEP]文", "[MA\u200bSK]", "[MA\0SK]", "[MASK\u0301]", "[MASK]\u0301a", "a\u0301[SEP]\u0301b",
        "[unused1] [unused99]", "[UNK]ed un[UNK]happy", "x" * 10 + "[SEP]" + "y" * 10, "x" * 60 + "[PAD]" + "x" * 60, "[P[PAD]AD]",
        "##s ## # ##happy un##happy", "[SE[SEP]P]",
    ]  # fmt: skip
    raw = [text.encode() for text in texts]
    raw += [
        b"\xff", b"a\xffb", b"\xc3", b"caf\xc3", b"caf\xc3 x", b"\xc3\x28", b"a\x80\x80b", b"\xe2\x82", b"\xe2\x82a",
        b"\xf0\x9f\x98", b"\xf0\x9f\x98x", b"\xf0\x9f\x98\xf0\x9f\x98\x80", b"\xed\xa0\x80\xed\xb0\x80", b"\xc0\xaf\xe0\x80\xaf",
        b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe\xfe\xff\xff", b"\xef\xbf\xbd", b"a\xef\xbf\xbdb", b"\xe4[SEP]\xb8\xad",
        b"[SE\xffP]", b"\xe4\xb8\xad\xe6\x96", b"\xe6\x96\xe4\xb8\xad", b"un\xffhappy \xe9t\xe9", "café".encode("latin-1"),
        "手机充电线".encode("gbk"), "Ünïcödé".encode("utf-16"), bytes(range(256)), bytes(range(255, -1, -1)),
        b"e\xff\xcc\x81", b"a\xcc\xa3\xff\xcc\x81", b"x" * 100 + b"\xff" + b"x", b"x" * 16 + b"\xc3",
        "café".encode().decode("latin-1").encode(), "“quotes” – “dash”".encode().decode("cp1252", "replace").encode(),
    ]  # fmt: skip
    return raw


def escape(raw):
    return "".join(chr(b) if 0x20 <= b < 0x7F and b != 0x5C else f"\\x{b:02x}" for b in raw)


def write(path, lines):
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.writelines(line + "\n" for line in lines)
    print(f"{path}: {len(lines)} lines", file=sys.stderr)


def code_points():
    lines = []
    for lower in (True, False):
        for strip in (True, False):
            for cjk in (True, False):
                norm = normalizers.BertNormalizer(
                    clean_text=True, handle_chinese_chars=cjk, strip_accents=strip, lowercase=lower
                )
                pre = pre_tokenizers.BertPreTokenizer()
                for start in range(0, 0x110000, 0x1000):
                    chars = [chr(c) for c in range(start, start + 0x1000) if not 0xD800 <= c < 0xE000]
                    text = "\n".join(f"a{c}b {c}\u0301\u0323{c}A" for c in chars)
                    words = [w for w, _ in pre.pre_tokenize_str(norm.normalize_str(text))]
                    crc = zlib.crc32("".join(w + "\n" for w in words).encode())
                    lines.append(f"{lower:d} {strip:d} {cjk:d} {start:06x} {crc:08x}")
    return lines


def main():
    if tokenizers.__version__ != PINNED:
        sys.exit(f"tokenizers {PINNED} wanted, {tokenizers.__version__} found")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("--minilm", help="directory with the vocab.txt of all-MiniLM-L6-v2")
    parser.add_argument("--data", help="directory of the real files")
    args = parser.parse_args()
    out = args.output

    write(f"{out}/wordpiece_vocab.txt", make_vocab())
    stress = make_stress()
    write(f"{out}/wordpiece_stress.txt", [escape(raw) for raw in stress])
    texts = [raw.decode("utf-8", "replace") for raw in stress]
    vocabs = {"small": read_vocab(f"{out}/wordpiece_vocab.txt")}
    if args.minilm:
        vocabs["minilm"] = read_vocab(os.path.join(args.minilm, "vocab.txt"))

    lines = []
    for variant in VARIANTS:
        lines.append(f"# {variant}")
        lines += [" ".join(map(str, ids)) for ids in encode(tokenizer(vocabs["small"], variant), texts)]
    write(f"{out}/wordpiece_ids.txt", lines)
    write(f"{out}/wordpiece_code_points.txt", code_points())

    hashes = {}
    path = f"{out}/wordpiece_hashes.txt"
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for line in f:
                vocab, variant, name, *rest = line.split()
                hashes[vocab, variant, name] = rest
    if args.minilm:
        for variant in VARIANTS:
            count, crc = ids_crc(encode(tokenizer(vocabs["minilm"], variant), texts))
            hashes["minilm", variant, "stress"] = [str(len(texts)), str(count), f"{crc:08x}"]
    for name in DATA_FILES if args.data else []:
        with open(os.path.join(args.data, name), "rb") as f:
            rows = [line.rstrip(b"\n").decode("utf-8", "replace") for line in f]
        for vocab in vocabs:
            for variant in FILE_VARIANTS:
                count, crc = ids_crc(encode(tokenizer(vocabs[vocab], variant), rows))
                hashes[vocab, variant, name] = [str(len(rows)), str(count), f"{crc:08x}"]
        print(name, file=sys.stderr)
    write(path, [" ".join([*key, *value]) for key, value in sorted(hashes.items())])


if __name__ == "__main__":
    main()
