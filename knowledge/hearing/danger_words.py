"""Finding all listed words in one pass over a text (Aho–Corasick), so that a scan is linear however long the list grows.

A regular expression of some thousand alternatives was tried and dropped: it reports one word at a place, not all of them,
and gets slower with every word a counsellor adds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import ahocorasick

from knowledge.hearing.danger_text import is_latin

Span = tuple[int, int]
_Use = tuple[bool, bool, tuple[int, ...]]
"""Whether no Latin letter may stand before the word, none behind it, and the groups it belongs to then."""


class WordFinder:
    """Finds where words stand. Build it once from word → names of the groups the word belongs to."""

    def __init__(self, words: Mapping[str, Iterable[int]]) -> None:
        uses: dict[str, list[_Use]] = {}
        for word, groups in words.items():
            letters = word.removesuffix("*")
            edges = (is_latin(letters[0]), is_latin(letters[-1]) and not word.endswith("*"))
            uses.setdefault(letters, []).append((*edges, tuple(sorted(set(groups)))))
        self._words = ahocorasick.Automaton()
        for letters, ways in uses.items():
            anywhere = [group for before, behind, groups in ways if not (before or behind) for group in groups]
            self._words.add_word(letters, (len(letters), anywhere, [way for way in ways if way[0] or way[1]]))
        self._words.make_automaton()

    def find(self, text: str) -> dict[int, list[Span]]:
        """Group → spans of its words in `text`, in order of their ends. Latin words count only as whole words."""
        found: defaultdict[int, list[Span]] = defaultdict(list)
        length = len(text)
        for last, (size, anywhere, edged) in self._words.iter(text):
            end = last + 1
            start = end - size
            for group in anywhere:
                found[group].append((start, end))
            for edge_before, edge_after, groups in edged:
                if edge_before and start and is_latin(text[start - 1]):
                    continue
                if edge_after and end < length and is_latin(text[end]):
                    continue
                for group in groups:
                    found[group].append((start, end))
        return dict(found)
