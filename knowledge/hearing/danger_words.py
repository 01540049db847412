"""Finding all listed words in one pass over a text (Aho–Corasick), so that a scan is linear however long the list grows.

A regular expression of some thousand alternatives was tried and dropped: it reports one word at a place, not all of them,
and gets slower with every word a counsellor adds.
"""

from collections import deque
from collections.abc import Iterable, Mapping

from knowledge.hearing.danger_text import is_latin

Span = tuple[int, int]

_LEAF: dict[str, int] = {}
"""Shared by all states nothing follows: more than a third of the list, so it halves the memory."""


class WordFinder:
    """Finds where words stand. Build it once from word → names of the groups the word belongs to."""

    def __init__(self, words: Mapping[str, Iterable[int]]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._fail: list[int] = [0]
        self._ends: list[tuple[tuple[int, bool, bool, tuple[int, ...]], ...]] = [()]
        for word, groups in words.items():
            self._add(word, tuple(sorted(set(groups))))
        self._link()
        self._next = [following or _LEAF for following in self._next]

    def _add(self, word: str, groups: tuple[int, ...]) -> None:
        prefix = word.endswith("*")
        letters = word.removesuffix("*")
        state = 0
        for letter in letters:
            following = self._next[state].get(letter)
            if following is None:
                following = len(self._next)
                self._next[state][letter] = following
                self._next.append({})
                self._fail.append(0)
                self._ends.append(())
            state = following
        edges = (is_latin(letters[0]), is_latin(letters[-1]) and not prefix)
        self._ends[state] += ((len(letters), *edges, groups),)

    def _link(self) -> None:
        waiting = deque(self._next[0].values())
        while waiting:
            state = waiting.popleft()
            for letter, following in self._next[state].items():
                waiting.append(following)
                fallback = self._fail[state]
                while fallback and letter not in self._next[fallback]:
                    fallback = self._fail[fallback]
                self._fail[following] = self._next[fallback].get(letter, 0)
                self._ends[following] += self._ends[self._fail[following]]

    def find(self, text: str) -> dict[int, list[Span]]:
        """Group → spans of its words in `text`, in order of their ends. Latin words count only as whole words."""
        found: dict[int, list[Span]] = {}
        steps, fails, ends = self._next, self._fail, self._ends
        state = 0
        length = len(text)
        for place, letter in enumerate(text):
            following = steps[state].get(letter)
            while following is None and state:
                state = fails[state]
                following = steps[state].get(letter)
            state = following or 0
            if not ends[state]:
                continue
            end = place + 1
            for size, edge_before, edge_after, groups in ends[state]:
                start = end - size
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
