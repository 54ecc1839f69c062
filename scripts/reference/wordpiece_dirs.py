#!/usr/bin/env python3
"""Writes tests/reference/wordpiece_dirs.json: small model directories and the ids AutoTokenizer gives in each.

    python3 scripts/reference/wordpiece_dirs.py > tests/reference/wordpiece_dirs.json
"""

import copy
import json
import os
import sys
import tempfile

import transformers
from transformers import AutoTokenizer

PINNED = "5.23.0"
TEXT = "Red Café [SEP] naïve [MASK] 中文 [PRICE] [Price] red<unk> red[UNK] [unused1] toolongword ab  zz <s>"
TOKENS = (
    "[PAD] [unused0] [unused1] [UNK] [CLS] [SEP] [MASK] red cafe café Red Cafe Café naive naïve 中 文 中文 ab a ##b [ ] unk "
    "< > sep mask price unused1 tool ##ong ##word <unk> <s> </s> ##l"
).split()
VOCAB = "".join(t + "\n" for t in TOKENS)
NEXT = len(TOKENS)


def added(content, index=None, **properties):
    token = {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    token.update(properties)
    return {**({} if index is None else {"id": index}), **token}


SPECIALS = [added(t, TOKENS.index(t)) for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
DECODER = {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in SPECIALS}


def tokenizer_json(lowercase=True, tokens=TOKENS, more=(), chars=100):
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [*SPECIALS, *more],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": lowercase},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 5], "cls": ["[CLS]", 4]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": chars, "vocab": {t: i for i, t in enumerate(tokens)}},
    }  # fmt: skip


swapped = TOKENS[:]
swapped[7], swapped[10] = swapped[10], swapped[7]
generic = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
           "pad_token": "[PAD]", "mask_token": "[MASK]", "do_lower_case": True}  # fmt: skip
price = {**DECODER, str(NEXT): {k: v for k, v in added("[PRICE]").items()}}

CASES = {
    "vocabulary alone": {"vocab.txt": VOCAB},
    "uncased": {"vocab.txt": VOCAB, "tokenizer_config.json": {"do_lower_case": True, "model_max_length": 512}},
    "cased": {"vocab.txt": VOCAB, "tokenizer_config.json": {"do_lower_case": False, "model_max_length": 512}},
    "cased, strip": {"vocab.txt": VOCAB, "tokenizer_config.json": {"do_lower_case": False, "strip_accents": True}},
    "uncased, keep": {"vocab.txt": VOCAB, "tokenizer_config.json": {"do_lower_case": True, "strip_accents": False}},
    "null options": {"vocab.txt": VOCAB, "tokenizer_config.json": {"strip_accents": None}},
    "no spaces at CJK": {"vocab.txt": VOCAB, "tokenizer_config.json": {"tokenize_chinese_chars": False}},
    "other keys": {"vocab.txt": VOCAB, "tokenizer_config.json": {"never_split": None, "do_basic_tokenize": True}},
    "both files, config cased": {
        "vocab.txt": VOCAB, "tokenizer.json": tokenizer_json(), "tokenizer_config.json": {"do_lower_case": False}},
    "both files, no config, cased file": {"vocab.txt": VOCAB, "tokenizer.json": tokenizer_json(lowercase=False)},
    "tokenizer.json alone": {"tokenizer.json": tokenizer_json()},
    "the files disagree": {"vocab.txt": VOCAB, "tokenizer.json": tokenizer_json(tokens=swapped)},
    "generic class, cased file": {"tokenizer.json": tokenizer_json(lowercase=False), "tokenizer_config.json": generic},
    "generic class, short words": {"tokenizer.json": tokenizer_json(chars=4), "tokenizer_config.json": generic},
    "Bert class ignores the file's word limit": {"tokenizer.json": tokenizer_json(chars=4)},
    "generic class, added token": {
        "tokenizer.json": tokenizer_json(more=[added("[PRICE]", NEXT)]), "tokenizer_config.json": generic},
    "fast class": {
        "vocab.txt": VOCAB, "tokenizer_config.json": {"tokenizer_class": "BertTokenizerFast", "do_lower_case": False}},
    "DistilBERT's class": {
        "vocab.txt": VOCAB, "tokenizer_config.json": {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": False}},
    "added_tokens_decoder": {"vocab.txt": VOCAB, "tokenizer_config.json": {"added_tokens_decoder": DECODER}},
    "added_tokens_decoder with one more": {"vocab.txt": VOCAB, "tokenizer_config.json": {"added_tokens_decoder": price}},
    "one more in tokenizer.json": {"tokenizer.json": tokenizer_json(more=[added("[PRICE]", NEXT)])},
    "one more in extra_special_tokens": {
        "vocab.txt": VOCAB, "tokenizer_config.json": {"extra_special_tokens": ["[PRICE]"]}},
    "one of the vocabulary in additional_special_tokens": {
        "vocab.txt": VOCAB, "tokenizer_config.json": {"additional_special_tokens": ["[unused1]"]}},
    "other names in tokenizer_config.json": {
        "vocab.txt": VOCAB, "tokenizer_config.json": {"unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}},
    "other names in special_tokens_map.json": {
        "vocab.txt": VOCAB, "tokenizer_config.json": {"unk_token": "[UNK]"},
        "special_tokens_map.json": {"unk_token": "<unk>", "cls_token": added("<s>")}},
    "CRLF": {"vocab.txt": VOCAB.replace("\n", "\r\n")},
    "white space at line ends": {"vocab.txt": VOCAB.replace("red\n", "red \t\n").replace("ab\n", "ab\u3000\n", 1)},
    "blank lines inside": {"vocab.txt": VOCAB.replace("red\n", "\n\nred\n", 1)},
    "blank lines at the end": {"vocab.txt": VOCAB + "\n\n"},
    "no newline at the end": {"vocab.txt": VOCAB.rstrip("\n")},
    "a token twice": {"vocab.txt": VOCAB + "red\n"},
}  # fmt: skip


def main():
    if transformers.__version__ != PINNED:
        sys.exit(f"transformers {PINNED} wanted, {transformers.__version__} found")
    cases = []
    for name, files in CASES.items():
        with tempfile.TemporaryDirectory() as directory:
            for file, content in {**files, "config.json": {"model_type": "bert"}}.items():
                with open(os.path.join(directory, file), "w", encoding="utf-8", newline="") as f:
                    f.write(content if isinstance(content, str) else json.dumps(content))
            t = AutoTokenizer.from_pretrained(directory)
            ids = t(TEXT, add_special_tokens=False)["input_ids"]
        cases.append({"name": name, "files": copy.deepcopy(files), "ids": ids})
    json.dump({"text": TEXT, "cases": cases}, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
