"""The account of what was written beside what was taken: nothing lost, nothing twice, in its order (R2, R11)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """One letter as the outbox holds it in the end."""

    shown: str
    state: str
    maybe_twice: bool


def fewest_twice(written: Sequence[Written], taken: Sequence[str]) -> int | None:
    """How many answers were taken twice, at the least; None where what was taken cannot be what was written.

    A letter marked `sent` was taken once, or up to three times if it says that it may have been; any other may have been taken once (its answer was
    lost). Many answers are alike, so that which was which cannot be seen: every way is followed at once. `{taken so far: fewest of them twice}`.
    """
    ways = {0: 0}
    for letter in written:
        times = (1, 2, 3) if letter.maybe_twice else (1,) if letter.state == "sent" else (0, 1)
        further: dict[int, int] = {}
        for place, twice in ways.items():
            for count in times:
                if list(taken[place : place + count]) == [letter.shown] * count:
                    further[place + count] = min(twice + max(0, count - 1), further.get(place + count, len(taken)))
        ways = further
    return ways.get(len(taken))


def beside(written: Sequence[Written], taken: Sequence[str]) -> str:
    """Both lists from where they part, short, for whoever looks into it."""
    same = next((at for at, (one, other) in enumerate(zip(written, taken, strict=False)) if one.shown != other), min(len(written), len(taken)))
    left = [f"  {one.state} {'twice?' if one.maybe_twice else ''} {one.shown[:90]!r}" for one in written[same : same + 4]]
    return "\n".join([f"  from answer {same} on, written:", *left, "  taken:", *(f"  {one[:90]!r}" for one in taken[same : same + 4])])
