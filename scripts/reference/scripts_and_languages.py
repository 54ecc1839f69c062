#!/usr/bin/env python3
"""Writes data/script_ranges.inc and data/language_words.inc for data/script_detect.c and data/language_guess.c.

    python3 scripts/reference/scripts_and_languages.py data

The scripts are those of the regex package's Unicode tables (property Script); the words are the frequent small words of
each language and some of what shops write, collected here by hand. A word may belong to several languages.
"""

import os
import sys

import regex

SCRIPTS = (
    "Latin Greek Cyrillic Armenian Georgian Hebrew Arabic Syriac Thaana Devanagari Bengali Gurmukhi Gujarati Oriya Tamil "
    "Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Khmer Mongolian Ethiopic Hangul Kana Bopomofo "
    "Han Yi"
).split()

LANGUAGES = {
    "en": "the and of with for is are this that you your from it its was will not have has which these our can be or "
    "an by at as to in on all more new size color colour black white women men women's men's set free made includes "
    "features case cover kids home light steel stainless",
    "de": "der die das und mit für ist von den dem ein eine einen einer nicht auch auf sich bei aus wird werden sie im "
    "zur zum oder wie als nach über größe farbe schwarz weiß damen herren neu inkl stück aus kinder zubehör passend",
    "fr": "le la les des et pour avec est une un du de dans par sur pas vous votre nous ce cette qui que en au aux plus "
    "ou sans couleur taille noir blanc femme homme enfant être à livraison pièces chaussures",
    "es": "el la los las y con para es una un del de en por que su se no más al lo como sin sobre entre color talla negro "
    "blanco mujer hombre niños este esta o envío piezas",
    "it": "il lo la gli le di e con per è una un del della dei delle nel alla che non più da in si al come senza su o "
    "colore taglia nero bianco donna uomo bambini questo sono anche",
    "pt": "o a os as e com para é uma um do da dos das em no na por que não mais ao como sem sobre se cor tamanho preto "
    "branco mulher homem feminino masculino crianças este são você",
    "nl": "de het een en met voor van is op te in niet dat deze die aan ook bij uit wordt zijn door naar maar of als je "
    "maat kleur zwart wit dames heren kinderen nieuw",
    "sv": "och att det som en ett för med är av på den till inte har om i från eller vid kan du din vi storlek färg svart "
    "vit dam herr barn",
    "da": "og at det som en et for med er af på den til ikke har om i fra eller ved kan du din vi størrelse farve sort "
    "hvid dame herre børn",
    "no": "og at det som en et for med er av på den til ikke har om i fra eller ved kan du din vi størrelse farge svart "
    "hvit dame herre barn",
    "pl": "i w na z do się nie jest to dla że od po przez oraz lub jak o za ze być który które rozmiar kolor czarny "
    "biały damskie męskie damska męska dzieci bez",
    "cs": "a v na se je že s z do to od po za o jako nebo ve jsou ale by který velikost barva černá bílá dámské "
    "pánské dětské bez",
    "tr": "ve bir bu için ile da de çok daha olan olarak gibi en kadar veya değil ne var siyah beyaz kadın erkek renk "
    "beden çocuk yeni",
    "vi": "và của là có cho với không được các một trong này những từ khi như người đã để màu đen trắng nam nữ cỡ hàng "
    "chính hãng",
    "id": "dan yang di dengan untuk dari ini itu pada tidak adalah atau juga akan bisa ke oleh karena warna ukuran hitam "
    "putih wanita pria anak murah baju bahan isi grosir tas sepatu",
    "fi": "ja on ei se että hän oli mutta kuin tai myös sekä joka ovat koko väri musta valkoinen naisten miesten lasten",
    "hu": "a az és hogy nem is egy van ez meg de mint vagy csak már méret szín fekete fehér női férfi gyerek",
    "ro": "și de la cu în pe nu este un o din pentru că sau mai care ca mărime culoare negru alb femei bărbați copii",
}


SLOTS = 4096


def fnv(word):
    value = 0x811C9DC5
    for byte in word:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def ranges():
    names = {}
    for index, script in enumerate(SCRIPTS, 1):
        named = "Hiragana}\\p{Script=Katakana" if script == "Kana" else script
        pattern = regex.compile(r"[\p{Script=%s}]" % named)
        for code in range(0x110000):
            if not 0xD800 <= code < 0xE000 and pattern.match(chr(code)):
                names[code] = index
    named = regex.compile(r"[\p{Script=Common}\p{Script=Inherited}\p{Script=Unknown}]")
    other = len(SCRIPTS) + 1
    rows = []
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        script = names.get(code)
        if script is None and not named.match(chr(code)):
            script = other
        if script is None:
            continue
        if rows and rows[-1][2] == script and rows[-1][1] == code - 1:
            rows[-1][1] = code
        else:
            rows.append([code, code, script])
    unknown = regex.compile(r"\p{Script=Unknown}*")
    merged = []  # over gaps without characters
    for row in rows:
        gap = "".join(map(chr, range(merged[-1][1] + 1, row[0]))) if merged and merged[-1][2] == row[2] else None
        if gap is not None and len(gap) < 1000 and unknown.fullmatch(gap):
            merged[-1][1] = row[1]
        else:
            merged.append(row)
    return merged


def write(path, lines):
    with open(path, "w", encoding="utf-8") as f:
        f.write("/* Made by scripts/reference/scripts_and_languages.py. */\n")
        f.write("\n".join(lines) + "\n")


def packed(items):
    lines, line = [], "   "
    for item in items:
        if len(line.encode("utf-8")) + len(item.encode("utf-8")) > 119:
            lines.append(line)
            line = "   "
        line += " " + item
    return lines + [line]


def main():
    folder = sys.argv[1]
    write(
        os.path.join(folder, "script_ranges.inc"),
        ["static const char *const script_names[] = {"]
        + packed(['"%s",' % name for name in ["none"] + [s.lower() for s in SCRIPTS] + ["other"]])
        + ["};", "static const struct script_range script_ranges[] = {"]
        + packed(["{0x%X, 0x%X, %d}," % tuple(row) for row in ranges()])
        + ["};"],
    )
    words = {}
    for index, text in enumerate(LANGUAGES.values()):
        for word in text.split():
            if len(word) == 1:
                continue  # as often a size, a colour or a part of a name
            words[word.encode("utf-8")] = words.get(word.encode("utf-8"), 0) | 1 << index
    slots = [0] * SLOTS
    for number, word in enumerate(sorted(words), 1):
        slot = fnv(word) % SLOTS
        while slots[slot]:
            slot = (slot + 1) % SLOTS
        slots[slot] = number
    write(
        os.path.join(folder, "language_words.inc"),
        ["static const char *const language_names[] = {"]
        + packed(['"%s",' % name for name in LANGUAGES])
        + ["};", "/* bit n: of language n */", "static const struct language_word language_words[] = {"]
        + packed(['{"%s", 0x%X},' % (word.decode("utf-8"), words[word]) for word in sorted(words)])
        + ["};", "/* open addressing by FNV-1a, 32 bits: 1 + the word's number; 0: free */"]
        + ["static const uint16_t language_slots[%d] = {" % SLOTS]
        + packed(["%d," % slot for slot in slots])
        + ["};"],
    )


if __name__ == "__main__":
    main()
