"""How long one hearing takes, and how much memory it needs, as the base grows: each size in a process of its own.

`python -m bot.bench.hearing 50000 FOLDER` measures another size by itself; building one so large takes some minutes.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.bench.lines import read

SIZES = (172, 5_000)
LONG = 400
"""Letters of a long message; the last joined texts may have fewer."""


def table(place: Path, ends: float, out: Console) -> Table:
    """p50 and p99 of `hear` over the development worries, the check of the files, load time and memory, for each size of base there is time for.

    Each size is loaded twice: first as a new installation builds it, then from what that kept, by a process that also hears. Times of hearing are
    of the processor, so that others on the machine do not count. `ends`: when to stop, by the monotonic clock.
    """
    shown = Table(title="hearing one message: danger, segmentation, ranking, decision")
    for heading in ("entries", "p50 ms", "p99 ms", f"danger in {LONG} letters, ms", "check s", "first load s", "load s", "MB"):
        shown.add_column(heading, justify="right")
    for size in SIZES:
        out.print(f"hearing over {size:,} entries …")
        command = [sys.executable, "-m", "bot.bench.hearing", str(size), str(place)]
        try:
            first, found = (_told(command, ends) for _ in range(2))
        except subprocess.TimeoutExpired:
            break
        heard = [f"{found[name]:.2f}" for name in ("p50", "p99", "danger")]
        shown.add_row(f"{size:,}", *heard, f"{first['check']:.1f}", f"{first['load']:.1f}", f"{found['load']:.1f}", f"{found['mb']:.0f}")
    return shown


def _told(command: Sequence[str], ends: float) -> dict[str, float]:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=max(1.0, ends - time.monotonic()))
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def _measure(size: int, place: Path) -> dict[str, float]:
    from knowledge import lint
    from knowledge.base import STARTER, load
    from knowledge.hearing import hear

    folder = STARTER if size <= SIZES[0] else _made_up(size, place / f"base-{size}")
    begun = time.process_time()
    lint.check(folder, today=datetime.now(UTC).date())
    checked = time.process_time() - begun
    begun = time.perf_counter()
    base = load(folder, place / f"kept-{size}")
    loaded = time.perf_counter() - begun
    texts = [line["text"] for name in ("worries-dev-1", "worries-dev-2") for line in read(name)]
    long = ["。".join(texts[at:])[:LONG] for at in range(0, len(texts), 10)]
    heard, scanned = _times(lambda text: hear(text, base), texts), _times(base.danger.scan, long)
    memory = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:")) / 1024
    median, worst = heard[len(heard) // 2], heard[int(len(heard) * 0.99)]
    return {"p50": median, "p99": worst, "danger": scanned[len(scanned) // 2], "check": checked, "load": loaded, "mb": memory}


def _times(hear_one: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Milliseconds of processor for each of the texts, three times, shortest first; some are heard before, to warm up."""
    for text in texts[:20]:
        hear_one(text)
    times = []
    for text in [text for _ in range(3) for text in texts]:
        begun = time.process_time()
        hear_one(text)
        times.append((time.process_time() - begun) * 1000)
    return sorted(times)


def _made_up(size: int, folder: Path) -> Path:
    """A base of `size` entries: the starter's own, again and again under other districts' names."""
    import yaml

    from knowledge.base import STARTER, load

    if folder.exists():
        return folder
    folder.mkdir(parents=True)
    entries = list(load(STARTER).entries.values())
    for number in range(size):
        entry, lap = entries[number % len(entries)], number // len(entries)
        made = {
            "id": f"{entry.id}-{lap}", "name": f"第{lap}地区 {entry.name}", "summary": entry.summary, "domain": entry.domain,
            "keywords": list(entry.keywords), "examples": [f"第{lap}地区で、{example}" for example in entry.examples[lap % 3 :: 3]],
        }  # fmt: skip
        (folder / f"{made['id']}.yaml").write_text(yaml.safe_dump(made, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]), Path(sys.argv[2]))))
