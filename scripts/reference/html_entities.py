#!/usr/bin/env python3
"""Writes data/clean_entities.inc: the named character references of HTML 5 that stand for one character.

    python3 scripts/reference/html_entities.py > data/clean_entities.inc

Names and code points are those of Python's html.entities.html5, which is the list of the HTML standard. A name that the
standard also reads without its semicolon is marked.
"""

import html.entities


def main():
    html5 = html.entities.html5
    rows = []
    for name, text in html5.items():
        if name.endswith(";") and len(text) == 1:
            rows.append((name[:-1].encode("ascii"), ord(text), name[:-1] in html5))
    rows.sort()
    print("/* Made by scripts/reference/html_entities.py: sorted by name. */")
    print("static const struct entity entities[] = {")
    line = "   "
    for name, code, bare in rows:
        item = ' {"%s", 0x%X, %d},' % (name.decode("ascii"), code, bare)
        if len(line) + len(item) > 120:
            print(line)
            line = "   "
        line += item
    print(line)
    print("};")


if __name__ == "__main__":
    main()
