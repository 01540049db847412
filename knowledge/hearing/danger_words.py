"""Finding all listed words in one pass over a text (Aho–Corasick), so that a scan is linear however long the list grows.

A regular expression of some thousand alternatives was tried and dropped: it reports one word at a place, not all of them,
and gets slower with every word a counsellor adds.
"""

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
            self._words.add_word(letters, (len(letters), ways))
        self._words.make_automaton()

    def find(self, text: str) -> dict[int, list[Span]]:
        """Group → spans of its words in `text`, in order of their ends. Latin words count only as whole words."""
        found: dict[int, list[Span]] = {}
        length = len(text)
        for last, (size, ways) in self._words.iter(text):
            end = last + 1
            start = end - size
            for edge_before, edge_after, groups in ways:
                if edge_before and start and is_latin(text[start - 1]):
                    continue
                if edge_after and end < length and is_latin(text[end]):
                    continue
                span = (start, end)
                for group in groups:
                    spans = found.get(group)
                    if spans is None:
                        found[group] = [span]
                    else:
                        spans.append(span)
        return found
