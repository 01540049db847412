"""How long one hearing takes, and how much memory it needs, as the base grows: each size in a process of its own."""

import json
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

SIZES = (172, 5_000)


def table(place: Path, ends: float, out: Console) -> Table:
    """p50 and p99 of `hear` over the development worries, load time and resident memory, for each size of base there is time for.

    `ends`: when to stop, by the monotonic clock.
    """
    shown = Table(title="hearing one message: danger, segmentation, ranking, decision")
    for heading in ("entries", "p50 ms", "p99 ms", "load s", "MB"):
        shown.add_column(heading, justify="right")
    for size in SIZES:
        out.print(f"hearing over {size:,} entries …")
        command = [sys.executable, "-m", "bot.bench.hearing", str(size), str(place)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=max(1.0, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            break
        found = json.loads(done.stdout.splitlines()[-1])
        shown.add_row(f"{size:,}", f"{found['p50']:.2f}", f"{found['p99']:.2f}", f"{found['load']:.1f}", f"{found['mb']:.0f}")
    return shown


def _measure(size: int, place: Path) -> dict[str, float]:
    from knowledge.base import STARTER, load
    from knowledge.hearing import hear

    folder = STARTER if size <= SIZES[0] else _made_up(size, place / f"base-{size}")
    begun = time.perf_counter()
    base = load(folder)
    loaded = time.perf_counter() - begun
    sets = Path(__file__).parent / "sets"
    texts = [json.loads(line)["text"] for name in ("worries-dev-1", "worries-dev-2") for line in (sets / f"{name}.jsonl").read_text().splitlines()]
    for text in texts[:20]:
        hear(text, base)
    times = []
    for _ in range(3):
        for text in texts:
            begun = time.perf_counter()
            hear(text, base)
            times.append((time.perf_counter() - begun) * 1000)
    times.sort()
    memory = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:")) / 1024
    return {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)], "load": loaded, "mb": memory}


def _made_up(size: int, folder: Path) -> Path:
    """A base of `size` entries: the starter's own, again and again under other districts' names."""
    import yaml

    from knowledge.base import STARTER, load

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
