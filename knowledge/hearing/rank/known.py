"""Signs of the stored sentences, taken from an earlier build where a sentence is still the same: one changed file is live in a moment."""

from collections.abc import Callable, Mapping

from knowledge.hearing.rank.keys import Keys


class Known:
    """`before` is what an earlier build found, `now` what this build needed: only that is worth keeping."""

    def __init__(self, before: Mapping[str, Keys] | None = None) -> None:
        self._before = before or {}
        self.now: dict[str, Keys] = {}

    def keys(self, text: str, read: Callable[[str], Keys], kind: str = "") -> Keys:
        """The signs of a sentence as `read` finds them; `kind` parts readings of one sentence that differ."""
        name = f"{kind}\0{text}"
        found = self.now.get(name)
        if found is None:
            found = self._before.get(name)
            self.now[name] = found = read(text) if found is None else found
        return found

    @property
    def grown(self) -> bool:
        """Something was read that nobody had read before."""
        return not self.now.keys() <= self._before.keys()
