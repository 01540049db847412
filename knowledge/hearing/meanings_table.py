"""How `starter/meanings.npz` was made; nobody needs to make it again unless the dictionary's normal forms move.

    python -m knowledge.hearing.meanings_table

in an environment of its own: first ja-ginza 5.3.0 and wordfreq 3.1.1, then our own packages over them (ja-ginza asks for an older sudachipy).

Source: the word vectors of chiVe v1.1 (copyright 2020 National Institute for Japanese Language and Linguistics and Works Applications, Apache
License 2.0), as ja_ginza 5.3.0 of Megagon Labs carries them (MIT License); which words are usual: the list of wordfreq. Kept of them: for each usual
word's normal form one of some 18,600 directions in 160 dimensions (principal components), one byte each.
"""

import importlib
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.hearing.normalise import pieces
from knowledge.hearing.rank import keys
from knowledge.hearing.rank.meanings import TABLE

DIMENSIONS = 160
CONTENT = frozenset({"名詞", "動詞", "形容詞", "形状詞", "副詞", "接尾辞", "接頭辞", "感動詞"})


def rows_of(words: Iterable[str], strings: Any, vectors: Any) -> dict[str, int]:
    """The row of each usual word's pieces, by normal form."""
    found: dict[str, int] = {}
    for piece in (piece for word in words for piece in pieces(word)):
        if piece.form in found or piece.kind not in CONTENT:
            continue
        written = [text for text in (piece.form, piece.surface) if not text.isascii() and text in strings]
        rows = [row for text in written if (row := vectors.key2row.get(strings[text], -1)) >= 0]
        if rows:
            found[piece.form] = rows[0]
    return found


def smaller(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Directions in fewer dimensions, one byte each."""
    unit = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)
    centred = unit - unit.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    seen = centred @ axes[:DIMENSIONS].T
    seen /= np.linalg.norm(seen, axis=1, keepdims=True) + 1e-9
    return np.asarray(np.round(seen * 127 / np.abs(seen).max()), np.int8)


def main() -> None:
    """Make the table and store it."""
    vocabulary = importlib.import_module("spacy").load("ja_ginza", exclude=["parser", "ner"]).vocab
    usual = importlib.import_module("wordfreq").get_frequency_dict("ja", wordlist="best")
    found = rows_of(sorted(usual, key=lambda word: (-usual[word], word)), vocabulary.strings, vocabulary.vectors)
    used = sorted(set(found.values()))
    place = {row: number for number, row in enumerate(used)}
    named = sorted((keys.named(keys.WORD, form), place[row]) for form, row in found.items())
    words, rows = np.array(named, np.int64).T
    np.savez_compressed(TABLE, keys=words, rows=rows.astype(np.uint16), vectors=smaller(np.asarray(vocabulary.vectors.data[used])))
    print(f"{len(words)} words, {len(used)} directions", file=sys.stderr)


if __name__ == "__main__":
    main()
