#!/usr/bin/env python3
"""Writes the bundled sample: a small invented shop with searches, graded pairs and an impression log.

    scripts/sample/make_sample.py [--seed N] [--output_dir data/sample]

The same seed gives the same bytes with every Python 3 (own generator, no libm). Files:
  items.csv        the shop's items and accessories
  train.csv        2,000 query-item pairs; dev.csv 300 and test.csv 500 over queries that training never sees
  impressions.csv  a log of result pages with position, click, conversion, dwell and scroll depth

Grades: 3 the item is what was asked for (type, brand, colour, size) · 2 the same kind of thing, but another brand, colour
or size · 1 goes with the thing (an accessory of it, or the thing itself when an accessory was asked for) · 0 none of these.
Words alone do not tell: titles use other names, shades and units than queries, accessories name the thing they fit, and
unrelated items share brand, colour and size.
"""

import argparse
import csv
import os
import sys

PAIRS_A_QUERY = 10
QUERIES = {"train": 200, "dev": 30, "test": 50}
SESSIONS = 450

BRANDS = "Falcon Maple Orion Heron Willow Jasper Crown Phoenix Titan Monarch".split()

SERIES = """Classic Comfort Active Urban Studio Nova Trail Heritage Prime Essential Pulse Harbour Meadow Summit
Atlas Vista""".split()

# family: the names of its shades, the usual one first. Any of them is the colour that was asked for.
COLOURS = {
    "black": ["black", "ebony"],
    "blue": ["blue", "navy"],
    "red": ["red", "crimson"],
    "green": ["green", "olive"],
    "grey": ["grey", "charcoal"],
    "white": ["white", "ivory"],
    "brown": ["brown", "walnut"],
}

# names: the first is the usual one, the others mean the same. sizes: spellings of one size, any of which may be written.
# accessories: what is sold for the thing. features: what descriptions say of it.
TYPES = [
    (["kettle", "water boiler"], [["1 l", "34 oz"], ["1.5 l", "51 oz"], ["1.7 l", "57 oz"]],
     ["limescale filter", "descaling tablets"], ["boils quietly", "switches off by itself", "stay-cool handle"]),
    (["coffee maker", "filter coffee machine"], [["4 cup", "0.5 l"], ["10 cup", "1.25 l"], ["15 cup", "1.9 l"]],
     ["paper filters", "glass jug"], ["keeps warm for two hours", "drip stop", "timer"]),
    (["frying pan", "skillet"], [["20 cm", '8"'], ["24 cm", '9.5"'], ["28 cm", '11"']],
     ["glass lid", "splatter guard"], ["works on induction", "non-stick coating", "oven safe"]),
    (["sofa", "couch"], [["2 seater", "two seat"], ["3 seater", "three seat"], ["4 seater", "four seat"]],
     ["slipcover", "armrest tray"], ["deep cushions", "solid beech legs", "easy to assemble"]),
    (["office chair", "desk chair"], [["high back", "tall backrest"], ["low back", "short backrest"]],
     ["replacement castors", "seat cushion"], ["adjustable lumbar support", "tilts and locks", "breathable mesh"]),
    (["rug", "carpet"], [["120 x 170 cm", "4 x 6 ft"], ["160 x 230 cm", "5 x 8 ft"], ["200 x 290 cm", "7 x 10 ft"]],
     ["anti-slip underlay", "stain remover"], ["short pile", "soft underfoot", "hand finished edges"]),
    (["curtains", "drapes"], [["117 cm", '46"'], ["168 cm", '66"'], ["229 cm", '90"']],
     ["curtain rod", "tie backs"], ["blocks the light", "pencil pleat", "fully lined"]),
    (["backpack", "rucksack"], [["20 l", "1,220 cu in"], ["30 l", "1,830 cu in"], ["45 l", "2,750 cu in"]],
     ["rain cover", "hydration bladder"], ["padded straps", "laptop pocket", "ventilated back"]),
    (["suitcase", "trolley case"], [["55 cm", "cabin size"], ["66 cm", "medium"], ["77 cm", "large"]],
     ["luggage tag", "packing cubes"], ["four smooth wheels", "hard shell", "combination lock"]),
    (["running shoes", "trainers"], [["uk 7", "eu 41"], ["uk 8", "eu 42"], ["uk 10", "eu 44"]],
     ["insoles", "shoe laces"], ["cushioned heel", "grips wet roads", "light mesh upper"]),
    (["t-shirt", "tee"], [["small", "s"], ["medium", "m"], ["large", "l"]],
     ["iron-on patch", "laundry bag"], ["organic cotton", "regular fit", "keeps its shape"]),
    (["jeans", "denim trousers"], [["30 waist", "w30"], ["32 waist", "w32"], ["36 waist", "w36"]],
     ["leather belt", "braces"], ["straight leg", "a little stretch", "five pockets"]),
    (["dog bed", "dog basket"], [["60 cm", "small"], ["80 cm", "medium"], ["100 cm", "large"]],
     ["washable cover", "chew toy"], ["memory foam", "raised rim", "non-slip bottom"]),
    (["bike helmet", "cycling helmet"], [["52-56 cm", "s/m"], ["57-61 cm", "l/xl"]],
     ["visor", "helmet light"], ["thirteen vents", "dial adjustment", "magnetic buckle"]),
    (["tent", "camping shelter"], [["2 person", "2 man"], ["3 person", "3 man"], ["5 person", "5 man"]],
     ["groundsheet", "spare pegs"], ["pitches in ten minutes", "withstands heavy rain", "two porches"]),
    (["sleeping bag", "mummy bag"], [["0 c", "32 f"], ["5 c", "41 f"], ["-10 c", "14 f"]],
     ["compression sack", "cotton liner"], ["two-way zip", "packs small", "synthetic filling"]),
    (["yoga mat", "exercise mat"], [["4 mm", "0.16 in"], ["6 mm", "0.24 in"], ["10 mm", "0.4 in"]],
     ["carrying strap", "mat spray"], ["does not slip", "wipes clean", "free of latex"]),
    (["water bottle", "drinking flask"], [["500 ml", "17 oz"], ["750 ml", "25 oz"], ["1 l", "34 oz"]],
     ["straw lid", "cleaning brush"], ["keeps cold all day", "does not leak", "dishwasher safe"]),
    (["headphones", "headset"], [["wireless", "bluetooth"], ["wired", "3.5 mm jack"]],
     ["ear pads", "headphone stand"], ["cancels noise", "folds flat", "built-in microphone"]),
    (["smartphone", "mobile phone"], [["64 gb", "64gb"], ["128 gb", "128gb"], ["256 gb", "256gb"]],
     ["protective case", "screen protector"], ["sharp night photos", "fast charging", "bright display"]),
    (["laptop", "notebook computer"], [["13 inch", "33 cm"], ["15 inch", "38 cm"], ["17 inch", "43 cm"]],
     ["sleeve", "docking station"], ["all-day battery", "quiet fan", "backlit keyboard"]),
    (["television", "tv"], [["32 inch", "81 cm"], ["43 inch", "109 cm"], ["55 inch", "140 cm"]],
     ["wall bracket", "remote control"], ["thin bezel", "three hdmi ports", "deep contrast"]),
    (["vacuum cleaner", "hoover"], [["cordless", "battery powered"], ["corded", "mains powered"]],
     ["dust bags", "crevice nozzle"], ["good on pet hair", "washable filter", "turns on the spot"]),
    (["drill", "power drill driver"], [["12 v", "12 volt"], ["18 v", "18 volt"]],
     ["drill bit set", "carry case"], ["two speeds", "led work light", "keyless chuck"]),
]

MATERIAL_WORDS = ["sturdy", "well made", "practical", "light", "handy", "elegant", "reliable", "simple"]


class Random:
    """splitmix64: the same numbers on every machine and Python."""

    def __init__(self, seed):
        self.state = seed & (2**64 - 1)

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & (2**64 - 1)
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        return z ^ (z >> 31)

    def unit(self):
        return (self.bits() >> 11) / 2.0**53

    def below(self, n):
        return self.bits() % n

    def chance(self, p):
        return self.unit() < p

    def pick(self, sequence):
        return sequence[self.below(len(sequence))]

    def usual(self, sequence, p):
        """The first with probability p, else any of the others."""
        return sequence[0] if self.chance(p) else self.pick(sequence[1:])

    def some(self, sequence, count):
        pool = list(sequence)
        return [pool.pop(self.below(len(pool))) for _ in range(min(count, len(pool)))]

    def shuffled(self, sequence):
        return self.some(sequence, len(sequence))


def capitalise(text):
    return " ".join(w[:1].upper() + w[1:] for w in text.split(" "))


def sentence(text):
    return text[:1].upper() + text[1:] + "."


def make_items(rng):
    """The item table: things and, for each type, accessories of several brands."""
    items = []

    def add(**fields):
        fields["item_id"] = "i%04d" % (len(items) + 1)
        items.append(fields)

    for kind, (names, sizes, accessories, features) in enumerate(TYPES):
        brands = rng.some(BRANDS, 4)
        families = rng.some(sorted(COLOURS), 4)
        combos = [(b, c, s) for b in brands for c in families for s in range(len(sizes))]
        for brand, family, size in rng.some(combos, 18):
            shade = rng.usual(COLOURS[family], 0.7)
            name = rng.pick(names)
            series = rng.pick(SERIES)
            title = rng.pick([
                "{brand} {series} {name} {size}, {shade}",
                "{name} {size} {shade} - {brand} {series}",
                "{brand} {name} \"{series}\", {shade}, {size}",
                "{brand} {series} {shade} {name} ({size})",
            ]).format(brand=brand, series=series, name=capitalise(name), shade=capitalise(shade),
                     size=rng.usual(sizes[size], 0.85))
            parts = ["%s %s, %s" % (rng.pick(MATERIAL_WORDS), name, rng.pick(features))]
            if rng.chance(0.35):
                parts.append("size %s" % rng.pick(sizes[size]))
            if rng.chance(0.3):
                parts.append(rng.pick(["goes well with our %s", "ask for our %s", "%s sold separately"]) %
                             rng.pick(accessories))
            add(kind=kind, accessory=None, brand=brand, family=family, size=size, title=title,
                description="" if rng.chance(0.03) else " ".join(sentence(p) for p in parts))
        for accessory in accessories:
            for brand in rng.some(brands, 3):
                family = rng.pick(families)
                shade = rng.usual(COLOURS[family], 0.7)
                size = rng.below(len(sizes))
                name = rng.pick(names)
                title = rng.pick([
                    "{accessory} for {brand} {name} {size}, {shade}",
                    "{brand} {name} {accessory}, {shade}",
                    "{brand} {accessory} for {name}, {shade}",
                    "{shade} {accessory} - Fits {name} {size} - {brand}",
                ]).format(brand=brand, accessory=capitalise(accessory), name=capitalise(name), shade=capitalise(shade),
                          size=rng.pick(sizes[size]))
                description = rng.pick([
                    "made for {name} by {brand}. {extra} {accessory}.",
                    "{extra} {accessory} that fits the {family} {name} of {brand}, size {size}.",
                    "keep your {name} like new. fits {size}.",
                ]).format(brand=brand, name=name, accessory=accessory, family=family,
                          size=rng.pick(sizes[size]), extra=rng.pick(MATERIAL_WORDS))
                add(kind=kind, accessory=accessory, brand=brand, family=family, size=size,
                    title=title,
                    description=" ".join(sentence(s) for s in description.rstrip(".").split(". ")))
    return items


def grade(wanted, item):
    """The grade of an item for what was wanted: the rule that a judge would apply."""
    if item["kind"] != wanted["kind"]:
        return 0
    if item["accessory"] != wanted["accessory"]:
        return 1
    for key in ("brand", "family", "size"):
        if wanted[key] is not None and wanted[key] != item[key]:
            return 2
    return 3


def with_typo(rng, text):
    """One slip in one longer word: two letters swapped, one lost, or one doubled."""
    words = text.split(" ")
    long_words = [i for i, w in enumerate(words) if len(w) >= 5 and w.isalpha()]
    if not long_words:
        return text
    i = rng.pick(long_words)
    w = words[i]
    at = 1 + rng.below(len(w) - 2)
    slip = rng.below(3)
    if slip == 0:
        w = w[:at] + w[at + 1] + w[at] + w[at + 2:]
    elif slip == 1:
        w = w[:at] + w[at + 1:]
    else:
        w = w[:at] + w[at] + w[at:]
    words[i] = w
    return " ".join(words)


def make_query(rng, items):
    """What somebody wants, taken from a real item, and the words for it."""
    target = rng.pick(items)
    wanted = dict(kind=target["kind"], accessory=target["accessory"], brand=None, family=None, size=None)
    names, sizes = TYPES[target["kind"]][:2]
    name = rng.pick(names)
    brand = colour = size = ""
    if target["accessory"] is not None:
        if rng.chance(0.5):
            wanted["brand"], brand = target["brand"], target["brand"]
        text = rng.pick(["{brand} {name} {accessory}", "{accessory} for {brand} {name}"]).format(
            brand=brand, name=name, accessory=target["accessory"])
    else:
        for key in rng.some(["brand", "colour", "size"], 1 + rng.below(2)):
            if key == "brand":
                wanted["brand"], brand = target["brand"], target["brand"]
            elif key == "size":
                wanted["size"], size = target["size"], rng.usual(sizes[target["size"]], 0.85)
            else:
                wanted["family"], colour = target["family"], rng.usual(COLOURS[target["family"]], 0.8)
        text = rng.pick(["{brand} {colour} {name} {size}", "{name} {size} {brand} {colour}",
                         "{colour} {size} {name} {brand}"]).format(brand=brand, colour=colour, name=name, size=size)
    text = " ".join(text.lower().split())
    if rng.chance(0.12):
        text = with_typo(rng, text)
    return wanted, text


def tokens(text):
    return set("".join(c if c.isalnum() else " " for c in text.lower()).split())


def overlap(query, item):
    """Share of the query's words found in the item: what a search by words would rank by."""
    words = tokens(query)
    return len(words & tokens(item["title"] + " " + item["description"])) / len(words)


def candidates(rng, wanted, text, items):
    """Ten items that a search engine might show, None when too few are right: the right ones, and those that look alike."""
    by_grade = {3: [], 2: [], 1: [], 0: []}
    for item in sorted(items, key=lambda i: (-overlap(text, i), i["item_id"])):
        by_grade[grade(wanted, item)].append(item)
    if len(by_grade[3]) < 2:
        return None
    chosen = rng.some(by_grade[3], 2 + rng.below(3)) + rng.some(by_grade[2][:12], 3 + rng.below(2))
    chosen += rng.some(by_grade[1][:6], 1 + rng.below(2))
    return chosen + rng.some(by_grade[0][:12], PAIRS_A_QUERY - len(chosen))


EXAMINED = [1.0, 0.86, 0.74, 0.64, 0.55, 0.47, 0.41, 0.36, 0.31, 0.27]
CLICK = {0: 0.03, 1: 0.12, 2: 0.30, 3: 0.62}
CONVERT = {0: 0.01, 1: 0.10, 2: 0.16, 3: 0.34}
DWELL_S = {0: 5, 1: 18, 2: 32, 3: 60}


def events(rng, position, g):
    """One impression: clicked when examined and attractive; converted, dwell and depth only after a click."""
    clicked = rng.chance(EXAMINED[position - 1] * CLICK[g])
    if not clicked:
        return [position, 0, 0, "", ""]
    converted = rng.chance(CONVERT[g])
    dwell = DWELL_S[g] * (0.25 + rng.unit() + rng.unit()) * (1.5 if converted else 1.0)
    depth = min(1.0, 0.1 + 0.18 * g + 0.5 * rng.unit())
    return [position, 1, int(converted), "%.1f" % dwell, "%.2f" % depth]


def write(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main(argv):
    parser = argparse.ArgumentParser(description="write the bundled sample")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--output_dir", default=os.path.join(os.path.dirname(__file__), "..", "..", "data", "sample"))
    args = parser.parse_args(argv)
    rng = Random(args.seed)
    os.makedirs(args.output_dir, exist_ok=True)

    def path(name):
        return os.path.join(args.output_dir, name)

    items = make_items(rng)
    write(path("items.csv"), ["item_id", "title", "description", "category", "brand", "colour", "price"],
          [[i["item_id"], i["title"], i["description"],
            TYPES[i["kind"]][0][0] + (" accessories" if i["accessory"] else ""), i["brand"], i["family"],
            "%d.%02d" % ((4 + rng.below(25)) if i["accessory"] else (19 + rng.below(400)), rng.pick([0, 50, 95, 99]))]
           for i in items])

    pages, seen_wants, seen_texts = [], set(), set()
    while len(pages) < sum(QUERIES.values()):
        wanted, text = make_query(rng, items)
        want = tuple(sorted((k, str(v)) for k, v in wanted.items()))
        if want in seen_wants or text in seen_texts:
            continue
        shown = candidates(rng, wanted, text, items)
        if shown is None:
            continue
        seen_wants.add(want)
        seen_texts.add(text)
        # The shop's ranking: by words, with popularity as noise.
        shown = [i for _, _, i in sorted((-overlap(text, i) - 0.6 * rng.unit(), i["item_id"], i) for i in shown)]
        pages.append(("q%03d" % (len(pages) + 1), text, [(i, grade(wanted, i)) for i in shown]))

    at = 0
    for split, count in QUERIES.items():
        rows = []
        for query_id, text, shown in pages[at:at + count]:
            for position, (item, g) in enumerate(shown, 1):
                rows.append(["%s-%04d" % (split, len(rows) + 1), query_id, text, item["item_id"], item["title"],
                             item["description"], g] + events(rng, position, g))
        write(path(split + ".csv"), ["id", "query_id", "query", "item_id", "title", "description", "label", "position",
                                     "clicked", "converted", "dwell_s", "depth"], rows)
        at += count

    log, minute = [], 0
    for session in range(1, SESSIONS + 1):
        query_id, text, shown = rng.pick(pages)
        minute += 1 + rng.below(40)
        day, rest = divmod(minute, 24 * 60)
        time = "2025-03-%02dT%02d:%02d:00Z" % (1 + day, rest // 60, rest % 60)
        for position, (item, g) in enumerate(shown[:4 + rng.below(7)], 1):
            log.append(["s%04d" % session, time, query_id, text, item["item_id"]] + events(rng, position, g)
                       + ["%.2f" % EXAMINED[position - 1]])
    write(path("impressions.csv"), ["session_id", "time", "query_id", "query", "item_id", "position", "clicked",
                                    "converted", "dwell_s", "depth", "propensity"], log)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
