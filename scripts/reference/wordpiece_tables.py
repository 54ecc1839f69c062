#!/usr/bin/env python3
"""Writes data/wordpiece_tables.inc: what the pinned `tokenizers` library does with every code point.

Nothing here is taken from a Unicode data file: each entry is read off the library's own BertNormalizer, NFD and
BertPreTokenizer, so that the tokeniser agrees with it on unassigned code points and on its version of Unicode too.

    python3 scripts/reference/wordpiece_tables.py > data/wordpiece_tables.inc
"""

import sys

import tokenizers
from tokenizers import normalizers, pre_tokenizers

PINNED = "0.23.3"
BLOCK = 128  # code points a block of stage 2
DROP, SPACE, CJK, PUNCT, HANGUL, RESET = 1, 2, 4, 8, 16, 32
SAME, EMPTY = 0, 1  # reserved map numbers


def bert(clean=False, cjk=False, strip=False, lower=False):
    return normalizers.BertNormalizer(
        clean_text=clean, handle_chinese_chars=cjk, strip_accents=strip, lowercase=lower
    ).normalize_str


CLEAN = bert(clean=True)
SPACED = bert(cjk=True)
STRIP = bert(strip=True)
LOWER = bert(lower=True)
STRIP_LOWER = bert(strip=True, lower=True)
NFD = normalizers.NFD().normalize_str
PRE = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def combining_ranks():
    """Rank of the canonical combining class of every code point that is not a starter, from how NFD reorders pairs.

    NFD swaps neighbours a b exactly when class(a) > class(b) > 0. U+0334 has the lowest class and U+0345 the highest,
    so every other mark is swapped with one of them.
    """
    low, high = "\u0334", "\u0345"
    marks = [
        chr(c)
        for c in CODE_POINTS
        if NFD(chr(c)) == chr(c) and (NFD(high + chr(c)) != high + chr(c) or NFD(chr(c) + low) != chr(c) + low)
    ]
    groups = []  # representatives by rising class
    members = []
    for mark in marks:
        at = 0
        while at < len(groups) and NFD(mark + groups[at]) != mark + groups[at]:
            at += 1  # class(mark) > class(groups[at])
        if at < len(groups) and NFD(groups[at] + mark) == groups[at] + mark:
            members[at].append(mark)
        else:
            groups.insert(at, mark)
            members.insert(at, [mark])
    assert low in members[0] and high in members[-1]
    for i, a in enumerate(groups):
        for j, b in enumerate(groups):
            assert (NFD(a + b) != a + b) == (i > j)
    return {ord(m): rank for rank, group in enumerate(members, 1) for m in group}


def main():
    if tokenizers.__version__ != PINNED:
        sys.exit(f"tokenizers {PINNED} wanted, {tokenizers.__version__} found")
    rank = combining_ranks()

    maps, map_index = [None, ()], {(): EMPTY}
    records, record_index, of_code_point = [], {}, [0] * 0x110000

    def map_number(c, text):
        if text == chr(c):
            return SAME
        key = tuple(map(ord, text))
        if key not in map_index:
            map_index[key] = len(maps)
            maps.append(key)
        return map_index[key]

    def record_number(record):
        if record not in record_index:
            record_index[record] = len(records)
            records.append(record)
        return record_index[record]

    outputs = set()
    spaces = set()
    for c in CODE_POINTS:
        ch = chr(c)
        flags = 0
        cleaned = CLEAN("a" + ch + "b")
        if cleaned == "ab":
            of_code_point[c] = record_number((DROP, 0, SAME, SAME, SAME))
            continue
        if cleaned == "a b":
            of_code_point[c] = record_number((SPACE, 0, SAME, SAME, SAME))
            continue
        assert cleaned == "a" + ch + "b"
        spaced = SPACED("a" + ch + "b")
        if spaced != "a" + ch + "b":
            assert spaced == "a " + ch + " b"
            flags |= CJK
        pieces = [piece for piece, _ in PRE("a" + ch + "b")]
        if pieces == ["a", ch, "b"]:
            flags |= PUNCT
        elif pieces == ["a", "b"]:
            spaces.add(c)
        else:
            assert pieces == ["a" + ch + "b"]

        full = NFD(ch)
        strip, lower, both = STRIP(ch), LOWER(ch), STRIP_LOWER(ch)
        if 0xAC00 <= c < 0xAC00 + 11172:
            s = c - 0xAC00
            jamo = [0x1100 + s // 588, 0x1161 + s % 588 // 28] + ([0x11A7 + s % 28] if s % 28 else [])
            assert strip == both == full == "".join(map(chr, jamo)) and lower == ch and flags == 0
            of_code_point[c] = record_number((HANGUL, 0, SAME, SAME, SAME))
            continue
        # A starter that is stripped still ends the run of marks before it: tell the reader, who does not see it.
        left = [x for x in full if STRIP(x) == x]
        assert "".join(left) == strip and all(STRIP(x) in ("", x) for x in full)
        gone = [i for i, x in enumerate(full) if STRIP(x) == "" and ord(x) not in rank]
        if gone:
            flags |= RESET
            assert not any(ord(x) in rank for x in full[: gone[-1]] if STRIP(x) == x)
        assert both == "".join(LOWER(x) for x in strip)
        if flags & CJK:
            assert len(strip) == len(lower) == len(both) == 1
        for text in (strip, lower, both):
            outputs.update(map(ord, text))
            assert len(text) <= len(ch.encode())  # one id a byte of input is enough room
        of_code_point[c] = record_number(
            (flags, rank.get(c, 0), map_number(c, strip), map_number(c, lower), map_number(c, both))
        )

    assert not outputs & spaces
    for c in rank:  # marks are not moved past letters whose case or class matters
        r = records[of_code_point[c]]
        assert not r[0] & (PUNCT | CJK | SPACE) and LOWER(chr(c)) in (chr(c),) or r[2] == EMPTY
    for c in outputs:  # the class of a mapped code point is looked up as if it had been in the text
        r = records[of_code_point[c]]
        assert not r[0] & HANGUL

    blocks, block_index, stage1 = [], {}, []
    for start in range(0, 0x110000, BLOCK):
        block = tuple(of_code_point[start : start + BLOCK])
        if block not in block_index:
            block_index[block] = len(blocks)
            blocks.append(block)
        stage1.append(block_index[block])

    offsets, pool = [0, 0], []
    for m in maps[1:]:
        pool.extend(m)
        offsets.append(len(pool))
    assert len(offsets) == len(maps) + 1 and max(offsets) < 65536 and len(records) < 65536

    def array(kind, name, values, text=str):
        print(f"static const {kind} {name}[{len(values)}] = {{")
        line = "   "
        for v in values:
            item = f" {text(v)},"
            if len(line) + len(item) > 120:
                print(line)
                line = "   "
            line += item
        print(line)
        print("};\n")

    print(f"/* Generated by scripts/reference/wordpiece_tables.py from tokenizers {PINNED}; not edited by hand. */")
    print("/* clang-format off */\n")
    array("uint8_t" if len(blocks) < 256 else "uint16_t", "chars_stage1", stage1)
    array("uint16_t", "chars_stage2", [r for block in blocks for r in block])
    array("struct chars_record", "chars_records", records, lambda r: "{%d,%d,{%d,%d,%d}}" % r)
    array("uint16_t", "chars_map_at", offsets)
    array("uint32_t", "chars_map_pool", pool, lambda v: f"0x{v:X}")
    print("/* clang-format on */")
    print(
        f"{len(blocks)} blocks, {len(records)} records, {len(maps)} maps, {len(pool)} mapped code points, "
        f"{max(rank.values())} combining classes",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
