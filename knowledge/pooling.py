"""持ちより: what organisations already do, entered by themselves; and what the town has of what where: overlaps, blanks, ideas."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import ValidationError

from knowledge.entry import Entry
from knowledge.reading import Tree, read_yaml

COLUMNS: Final = {
    "name": "名前", "summary": "していること", "domain": "分野", "kind": "種類", "area": "地区", "tel": "電話", "who": "対象", "cost": "費用",
    "every": "曜日", "from": "はじまり", "to": "おわり", "place": "ところ",
}  # fmt: skip
"""Fields of the form and headings of the CSV."""
_TAKEN: Final = frozenset(
    {"name", "kana", "domain", "kind", "summary", "keywords", "who", "how", "cost", "bring", "contacts", "events", "valid", "translations"}
)
"""What an organisation may say of itself; how messages find it (examples, tags) is the town's own word."""
KINDS: Final = {"service": "サービス", "place": "場所", "activity": "活動", "consultation": "相談"}
WHOLE: Final = "全域"
_MOST_ROWS: Final = 200
CROWDED: Final = 3
"""From so many of one field in one district on there may be something to do together."""
_MOST_IDEAS: Final = 12


class NotTaken(ValueError):
    """What was written cannot be taken; the message says in Japanese where and why."""


@dataclass(frozen=True)
class Spread:
    """Which entries the town has, by field and district; `rows`: field → district → names."""

    areas: tuple[str, ...]
    rows: Mapping[str, Mapping[str, tuple[str, ...]]]
    ideas: tuple[str, ...]

    def there(self, area: str, field: str = "") -> tuple[str, ...]:
        """What a district has of a field, or of all."""
        return tuple(dict.fromkeys(name for domain, cells in self.rows.items() if field in ("", domain) for name in cells[area]))


def from_form(cells: Mapping[str, str], provider: str, today: date, domains: Mapping[str, str]) -> dict[str, Tree]:
    """One entry out of the form's cells, without an id. `domains`: id → name. Raises `NotTaken`."""
    said = {name: cells.get(name, "").strip() for name in COLUMNS}
    domain = next((one for one, name in domains.items() if said["domain"] in (one, name)), None)
    kind = next((one for one, name in KINDS.items() if said["kind"] in (one, name)), None)
    if domain is None:
        raise NotTaken(f"分野「{said['domain']}」がわかりません。{'、'.join(domains.values())} のどれかを書いてください。")
    if kind is None:
        raise NotTaken(f"種類「{said['kind']}」がわかりません。{'、'.join(KINDS.values())} のどれかを書いてください。")
    areas: list[Tree] = [part.strip() for part in said["area"].replace("、", "・").split("・") if part.strip()]
    tree: dict[str, Tree] = {
        "name": said["name"], "summary": said["summary"], "domain": domain, "kind": kind, "provider": [provider],
        "contacts": [{"name": provider, "tel": said["tel"] or None, "area": areas or [WHOLE]}], "checked": {"on": today.isoformat(), "by": provider},
    }  # fmt: skip
    if said["who"]:
        tree["who"] = {"note": said["who"]}
    if said["cost"]:
        tree["cost"] = said["cost"]
    if said["every"]:
        tree["events"] = [{"title": said["name"], **{key: said[key] for key in ("every", "from", "to", "place") if said[key]}}]
    return checked(tree)


def from_csv(text: str, provider: str, today: date, domains: Mapping[str, str]) -> list[dict[str, Tree]]:
    """Entries out of a CSV with the headings of `COLUMNS`; a mistake names its line. Raises `NotTaken`."""
    keys = {heading: name for name, heading in COLUMNS.items()}
    found = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")), 2):
        if number > _MOST_ROWS + 1:
            raise NotTaken(f"一度に {_MOST_ROWS} 行までです。分けて入れてください。")
        cells = {keys[head]: value or "" for head, value in row.items() if head in keys and isinstance(value, str | None)}
        if "name" not in cells:
            raise NotTaken(f"1 行目の見出しは {'、'.join(COLUMNS.values())} です。")
        try:
            found.append(from_form(cells, provider, today, domains))
        except NotTaken as error:
            raise NotTaken(f"{number} 行目：{error}") from error
    if not found:
        raise NotTaken("中身の行がありません。")
    return found


def from_yaml(text: str, provider: str, today: date) -> list[dict[str, Tree]]:
    """One entry as YAML, as in the town's folder. Who provides and confirms it is the organisation itself. Raises `NotTaken`."""
    read = read_yaml(text)
    if read.problems:
        raise NotTaken("　".join(f"{one.line} 行目：{one.message}" for one in read.problems[:3]))
    if not isinstance(read.tree, dict):
        raise NotTaken("「name: 名前」のように、項目を書いてください。")
    tree = {str(name): value for name, value in read.tree.items() if name in _TAKEN}
    return [checked({**tree, "provider": [provider], "checked": {"on": today.isoformat(), "by": provider}})]


def checked(tree: dict[str, Tree]) -> dict[str, Tree]:
    """The tree, if it makes an entry. Raises `NotTaken`."""
    entry_of(tree)
    return tree


def entry_of(tree: Mapping[str, Tree]) -> Entry:
    """What the tree says, however it is written. Raises `NotTaken`: also of a proposal that was one by the rules of its day."""
    try:
        return Entry.model_validate({**tree, "id": "mochiyori"})
    except ValidationError as error:
        first = error.errors()[0]
        where = "・".join(str(part) for part in first["loc"])
        raise NotTaken(f"{where}：{first['msg']}") from error


# ---------------------------------------------------------------- what is where


def spread(entries: Iterable[Entry], areas: Sequence[str], domains: Mapping[str, str], day: date) -> Spread:
    """The town's own resources by field and district. National kinds without a contact here are nobody's resource yet."""
    own = [entry for entry in entries if entry.contacts and entry.shown_on(day) and any(contact.hotline is None for contact in entry.contacts)]
    rows = {
        domain: {area: tuple(sorted(entry.name for entry in own if entry.domain == domain and area in _areas(entry))) for area in (*areas, WHOLE)}
        for domain in domains
    }
    return Spread((*areas, WHOLE), rows, tuple(_ideas(rows, areas, domains))[:_MOST_IDEAS])


def _areas(entry: Entry) -> set[str]:
    """Districts of its contacts; without any, the whole town."""
    return {area for contact in entry.contacts for area in (contact.area or (WHOLE,))}


def _ideas(rows: Mapping[str, Mapping[str, tuple[str, ...]]], areas: Sequence[str], domains: Mapping[str, str]) -> Iterator[str]:
    """What could be widened first, then what could be done together, last what nobody has."""
    for domain, cells in rows.items():
        there, blank = [area for area in areas if cells[area]], [area for area in areas if not cells[area]]
        if there and blank:
            where = f"{'・'.join(there)}にあり、{'・'.join(blank)}にありません"
            yield f"「{domains[domain]}」は{where}。{cells[there[0]][0]}を広げられないでしょうか。"
    for domain, cells in rows.items():
        for area in areas:
            if len(cells[area]) >= CROWDED:
                some = "、".join(cells[area][:CROWDED])
                yield f"{area}の「{domains[domain]}」は{len(cells[area])}つあります（{some}）。いっしょにできることはないでしょうか。"
    for domain, cells in rows.items():
        if not any(cells.values()):
            yield f"「{domains[domain]}」は、町のどこにもありません。持ちよれるところはないでしょうか。"
