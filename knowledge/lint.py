"""What staff should know about a folder before it is used: mistakes, and what will look wrong on a card (D15).

`check` reads; `try_examples` asks the ranker. Neither knows the date: it is brought in.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from knowledge.base import Base, danger_of, own_danger_file, unknown_hotline, unknown_hotlines
from knowledge.complaints import nearest
from knowledge.entry import Contact, Entry
from knowledge.halfread import HalfRead, as_far_as_read
from knowledge.hearing.danger import DangerList
from knowledge.layers import NOTHING_ELSE, STARTER, Instead, Laid, Sheet, lay
from knowledge.problem import Problem, Severity
from knowledge.reading import Trail

OLD: Final = timedelta(days=180)
TOO_OLD: Final = timedelta(days=365)
LONGEST_NAME: Final = 40
LONGEST_SUMMARY: Final = 80
LONGEST_TEXT: Final = 200
LONGEST_OF_ALL: Final = 2000
"""Of any one text on a card: with all that stands beside it, more does not go into one message (LINE: 5,000 UTF-16 units)."""
WHOLE_TOWN: Final = "全域"
CARDS: Final = 3

_KEBAB: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBER_IN_TEXT: Final = re.compile(r"[0０][\d０-９]{1,4}[-−ー－―‐][\d０-９]{1,4}[-−ー－―‐][\d０-９]{3,4}")
_OWN_PATH: Final = re.compile(r"(?<![A-Za-z])[A-Za-z]:\\\S*|\\\\[^\s\\]+\\\S*")
_TEXTS_ON_CARDS: Final = ("name", "summary", "how", "cost")
_UNREAD: Final = re.compile(r"\.ya?ml.+$|\.(?!ya?ml$)(?i:ya?ml)$")
_WORD_LISTS: Final = ("keywords", "bring", "provider")
_JAPAN: Final = ((20.0, 46.0), (122.0, 154.0))
"""Latitudes and longitudes between which all of Japan lies."""
_SAMPLE_NUMBER: Final = "000-"


def check(folder: Path, *, today: date, instead: Instead = NOTHING_ELSE) -> list[Problem]:
    """Every mistake and every piece of advice for every file of a folder, in order of place; `instead` as if edits were saved already."""
    laid = lay(folder, instead)
    problems = [*laid.problems, *unknown_hotlines(laid), *_danger(folder), *_odd_files(folder, laid)]
    looks = list(_looks(laid, today))
    for look in looks:
        problems += _entry(look)
    problems += _twins(laid, looks)
    return sorted(set(problems), key=lambda problem: problem.order)


def check_text(file: Path, text: str, folder: Path, *, today: date) -> list[Problem]:
    """What would be told of one file of a folder if it held this text (the desk's editor asks with every stroke)."""
    return [problem for problem in check(folder, today=today, instead={file: text.encode()}) if problem.file == str(file)]


def _odd_files(folder: Path, laid: Laid) -> Iterator[Problem]:
    """Files that were meant to be read and are not (food-bank.yaml.txt), and marks of Windows that do no harm: told once for the whole folder."""
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            if _UNREAD.search(name) and not name.startswith("."):
                hint = "ファイルの名前の終わりを .yaml にしてください。使わないなら消してください。"
                yield Problem(str(Path(where, name)), 1, 1, "warning", "file_ending", "このファイルは読まれません", hint)
    for code, mark, what in (("bom", "bom", "先頭に目に見えない印（BOM）"), ("crlf", "crlf", "Windows の改行（CRLF）")):
        marked = [read for read in laid.reads if mark in read.marks]
        if marked:
            others = f"（ほかに {len(marked) - 1} 件）" if len(marked) > 1 else ""
            message = f"{what}があります{others}。このまま読めます"
            hint = "気になるときは madoguchi knowledge fix で取れます。"
            yield Problem(marked[0].file, 1, 1, "warning", code, message, hint, marked[0].source_line(1))


def _looks(laid: Laid, today: date) -> Iterator["_Look"]:
    """Entries the folder itself says something about, those with mistakes as far as they can be read. A town is not told about the starter."""
    for entry_id, sheet in laid.sheets.items():
        if entry_id in laid.own_ids and (entry := laid.entries.get(entry_id)):
            yield _Look(laid, entry, sheet, today)
        elif entry_id in laid.own_ids and (half := as_far_as_read(sheet)):
            yield _Look(laid, half.entry, sheet, today, half)
    for sheet in laid.aside:
        if half := as_far_as_read(sheet):
            yield _Look(laid, half.entry, sheet, today, half)


def _danger(folder: Path) -> list[Problem]:
    """A folder's own dangers over the starter's list: whether every sentence still comes out right, and which of the country's rules it changes."""
    file = own_danger_file(folder)
    if file is None:
        return []
    heard = danger_of(folder)
    if not isinstance(heard, DangerList):
        return heard
    fails = [
        Problem(str(file), 1, 1, "error", "danger", f"{one.rule}：「{one.sentence}」は {one.wanted} のはずが {one.got} になります")
        for one in heard.test()
    ]
    hint = "この町に合わないと分かっているときだけにしてください。"
    changed = [f"全国の規則「{rule}」を、この町では変えるか切っています" for rule in heard.switched]
    return [*fails, *(Problem(str(file), 1, 1, "warning", "own_danger", message, hint) for message in changed)]


# ---------------------------------------------------------------- one entry


@dataclass(frozen=True, slots=True)
class _Look:
    """One entry under the eye of lint."""

    laid: Laid
    entry: Entry
    sheet: Sheet
    today: date
    half: HalfRead | None = None
    """Of an entry with a mistake: what of it could not be read."""

    def at(self, way: Trail, code: str, message: str, hint: str = "", *, level: Severity = "warning", key: bool = False) -> Iterator[Problem]:
        """A problem at this value, unless it only follows from a mistake that is told already. `key`: about a field that is not there."""
        there = self.half.way(way) if self.half else way
        follows = (self.half is not None and not self.half.has(there)) or (key and not self.sheet.read.whole)
        if not follows:
            yield self.sheet.problem(there, level, code, message, hint, key=key)


def _entry(look: _Look) -> Iterator[Problem]:
    yield from _identity(look)
    yield from _words(look)
    yield from _lists(look)
    yield from _examples(look)
    yield from _dates(look)
    for place, contact in enumerate(look.entry.contacts):
        yield from _contact(look, ("contacts", place), contact)


def _identity(look: _Look) -> Iterator[Problem]:
    entry, source = look.entry, look.sheet.sources[0]
    if not _KEBAB.fullmatch(entry.id):
        message = f"id「{entry.id}」に、半角の英小文字・数字・「-」でない文字があります"
        hint = "半角の英小文字・数字・「-」にしておくと、どこでも使えます。"
        yield from look.at(("id",), "id_form", message, hint)
    stem = Path(source.read.file).stem
    if source.trail == () and stem != entry.id:
        hint = f"{entry.id}.yaml にすると、あとで見つけやすくなります。"
        yield from look.at(("id",), "file_name", f"ファイルの名前「{stem}」と id「{entry.id}」がちがいます", hint)
    domains = look.laid.domains
    if entry.domain is not None and entry.domain not in domains and (look.laid.over_starter or _has_own_domains(look.laid)):
        called = (domain.id for domain in domains.values() if entry.domain in domain.name)
        near = next(called, None) or nearest(entry.domain, list(domains))
        hint = f"もしかして「{near}」ですか。" if near else f"使えるもの: {'、'.join(f'{name}（{domain.name}）' for name, domain in domains.items())}"
        yield from look.at(("domain",), "unknown_domain", f"domain: 「{entry.domain}」は domains.yaml にありません", hint)


def _has_own_domains(laid: Laid) -> bool:
    return (laid.folder / "domains.yaml").exists()


def _words(look: _Look) -> Iterator[Problem]:
    entry = look.entry
    if len(entry.name) > LONGEST_NAME:
        hint = f"カードの見出しに入るのは {LONGEST_NAME} 文字までです。"
        yield from look.at(("name",), "long_name", f"name: 長い名前です（{len(entry.name)} 文字）", hint)
    if len(entry.summary) > LONGEST_SUMMARY:
        hint = f"{LONGEST_SUMMARY} 文字までにしてください。"
        yield from look.at(("summary",), "long_summary", f"summary: 長い説明です（{len(entry.summary)} 文字）", hint)
    for way, text in (("how",), entry.how), (("cost",), entry.cost), (("law",), entry.law), (("who", "note"), entry.who.note):
        if text is not None and len(text) > LONGEST_TEXT:
            hint = f"{LONGEST_TEXT} 文字までが読みやすい長さです。くわしいことは、url の先のページに書いてください。"
            yield from look.at(way, "long_text", f"{way[-1]}: 長い文です（{len(text):,} 文字）", hint)
    for field in _TEXTS_ON_CARDS:
        if len(getattr(entry, field) or "") > LONGEST_OF_ALL:
            hint = f"{LONGEST_OF_ALL:,} 文字をこえると、住民に送れません。短くしてください。"
            yield from look.at((field,), "too_long", f"{field}: 長すぎます", hint, level="error")
        path = _OWN_PATH.search(getattr(entry, field) or "")
        if path:
            message = f"{field}: 職場のパソコンの場所「{path[0]}」が文の中にあります"
            yield from look.at((field,), "own_path", message, "住民は開けません。ウェブに置いて、url に書いてください。")
        found = _NUMBER_IN_TEXT.search(getattr(entry, field) or "")
        if found:
            message = f"{field}: 電話番号「{found[0]}」が文の中にあります"
            yield from look.at((field,), "number_in_text", message, "contacts の tel に書くと、押してかけられます。")


def _lists(look: _Look) -> Iterator[Problem]:
    """`[食料、食品]` is one word to YAML: lists of words are parted by a half-width comma. Sentences may have a 、."""
    lists: list[tuple[Trail, Sequence[str]]] = [((name,), getattr(look.entry, name)) for name in _WORD_LISTS]
    for place, contact in enumerate(look.entry.contacts):
        lists += [(("contacts", place, name), getattr(contact, name)) for name in ("area", "languages")]
    for way, words in lists:
        for number, word in enumerate(words):
            parts = [part.strip() for part in re.split("[、，;；]", word) if part.strip()]
            if len(parts) > 1:
                message = f"{way[-1]}: 「{word}」は、一つの言葉として読まれます"
                yield from look.at((*way, number), "wide_comma", message, f"半角の「, 」で [{', '.join(parts)}] のように分けてください。")


def _examples(look: _Look) -> Iterator[Problem]:
    entry = look.entry
    if not entry.examples:
        hint = "住民が書くような文を 5 つほど足すと、見つかりやすくなります。"
        yield from look.at(("examples",), "no_examples", "examples: 例文がありません", hint, key=True)
    for place, text in enumerate(entry.not_for):
        if text in entry.examples:
            message = f"not_for: 「{text}」は examples にもあります"
            yield from look.at(("not_for", place), "example_and_not_for", message, "どちらか一つにしてください。", level="error")


def _dates(look: _Look) -> Iterator[Problem]:
    entry, today = look.entry, look.today
    confirmed = entry.checked.on
    if confirmed is None and entry.contacts and look.sheet.sources[0].has(("contacts",)) and look.laid.folder.resolve() != STARTER:
        hint = "電話などで確かめた日を書いてください。書くまでカードに「未確認」と出ます。"
        yield from look.at(("checked",), "unchecked", "checked: 確認日がありません", hint, key=True)
    if confirmed is not None and confirmed > today:
        yield from look.at(("checked", "on"), "checked_ahead", f"確認日 {confirmed} は、これから来る日です", "確かめた日を書いてください。")
    elif confirmed is not None and today - confirmed > TOO_OLD:
        hint = "確かめなおしてください。カードに「先に電話で確かめてください」と出ます。"
        yield from look.at(("checked", "on"), "checked_long_ago", f"確認日 {confirmed} から 1 年をこえました", hint)
    elif confirmed is not None and today - confirmed > OLD:
        yield from look.at(("checked", "on"), "checked_ago", f"確認日 {confirmed} から半年をこえました", "かわっていないか、確かめてください。")
    for place, event in enumerate(entry.events):
        if event.on is not None and event.on < today:
            message = f"「{event.title}」{event.on} は終わりました"
            yield from look.at(("events", place, "on"), "past_event", message, "次の日に書きかえるか、消してください。")
    if entry.valid.until is not None and entry.valid.until < today:
        hint = "もう案内されません。つづくなら日を書きかえてください。"
        yield from look.at(("valid", "until"), "expired", f"{entry.valid.until} で終わった項目です", hint)


def _contact(look: _Look, way: Trail, contact: Contact) -> Iterator[Problem]:
    town = look.laid.town
    if look.half and (said := unknown_hotline(contact.hotline, look.laid)):
        yield from look.at((*way, "hotline"), "unknown_hotline", *said, level="error")
    hotline = look.laid.hotlines.get(contact.hotline or "")
    if hotline is not None and not hotline.may_be_shown:
        message = f"hotline: 「{hotline.name}」は、確かめていないか、この町では使わない番号なので、案内に出ません"
        hint = "公式の案内で確かめたら、hotlines.yaml の verified を true にしてください。"
        yield from look.at((*way, "hotline"), "unverified_hotline", message, hint)
    if contact.tel is not None and contact.tel.startswith(_SAMPLE_NUMBER) and not (town and town.sample):
        hint = "あなたの町の番号に書きかえてください。"
        yield from look.at((*way, "tel"), "sample_number", f"tel: {contact.tel} は見本の番号です", hint, level="error")
    if contact.tel is not None and re.fullmatch(r"0\d{9,10}", contact.tel):
        hint = "市外局番などを「-」で区切ると、読みやすくなります。このままでも、書かれたとおりに出ます。"
        yield from look.at((*way, "tel"), "no_hyphen", f"tel: {contact.tel} に「-」がありません", hint)
    yield from _where(look, way, contact)
    for place, area in enumerate(contact.area):
        if town is not None and town.areas and area != WHOLE_TOWN and area not in town.areas:
            hint = f"town.yaml の areas にあるもの: {', '.join(town.areas)}、または {WHOLE_TOWN}"
            yield from look.at((*way, "area", place), "unknown_area", f"area: 「{area}」は町の地区にありません", hint)


def _where(look: _Look, way: Trail, contact: Contact) -> Iterator[Problem]:
    for name, value, (least, most) in zip(("lat", "lon"), (contact.place.lat, contact.place.lon), _JAPAN, strict=True):
        if value is not None and not least <= value <= most:
            hint = "lat が緯度（20〜46）、lon が経度（122〜154）です。逆になっていないか、見てください。"
            yield from look.at((*way, "place", name), "outside_japan", f"{name}: {value} は日本の外です", hint)


# ---------------------------------------------------------------- between entries


def _twins(laid: Laid, looks: Iterable[_Look]) -> Iterator[Problem]:
    """The same name or the same example in two entries: residents, and the ranker, could not tell them apart. The folder's own are the ones told."""
    below = [entry for entry in laid.entries.values() if entry.id not in laid.own_ids]
    names = {entry.name: entry.id for entry in reversed(below)}
    owners = {text: entry.id for entry in reversed(below) for text in entry.examples}
    for look in looks:
        entry = look.entry
        first = names.setdefault(entry.name, entry.id)
        if first != entry.id:
            message = f"name: 「{entry.name}」は {first} と同じ名前です"
            yield from look.at(("name",), "same_name", message, "ちがいがわかる名前にしてください。")
        for place, text in enumerate(entry.examples):
            first = owners.setdefault(text, entry.id)
            again = first == entry.id and entry.examples.index(text) != place
            if first != entry.id or again:
                where = "この項目に二回あります" if again else f"{first} にもあります"
                hint = "より合うほうの一つだけに書いてください。"
                yield from look.at(("examples", place), "same_example", f"examples: 「{text}」は {where}", hint)


# ---------------------------------------------------------------- asking the ranker


@dataclass(frozen=True, slots=True)
class Missed:
    """One sentence that did not do what it is there for. `place` is the entry's own place in the ranking, from 1; None = beyond the first ten."""

    entry_id: str
    text: str
    first: str
    """The entry that came first."""
    place: int | None


@dataclass(frozen=True, slots=True)
class Trial:
    """How the sentences of a base did."""

    examples: int
    found: int
    """Examples that found their entry among the first three though they themselves were left out."""
    first: int
    refusals: int
    refused: int
    """not_for sentences whose entry did not come first."""
    missed: tuple[Missed, ...]
    problems: tuple[Problem, ...]

    @property
    def rate(self) -> float:
        return self.found / self.examples if self.examples else 1.0


def test(base: Base) -> list[Problem]:
    """Examples that do not find their own entry, and sentences that find what they must not."""
    return list(try_examples(base).problems)


def try_examples(base: Base) -> Trial:
    """Ask the ranker with every stored sentence: an example is forgotten while it is asked (leave-one-out)."""
    sheets = lay(base.folder).sheets
    counts, missed, problems = Counter[str](), list[Missed](), list[Problem]()
    for entry in base.entries.values():
        for position, text in enumerate(entry.examples):
            ranked = [match.id for match in base.hearing.rank(text, leave_out=text)]
            place = ranked.index(entry.id) + 1 if entry.id in ranked else None
            counts["examples"] += 1
            counts["first"] += place == 1
            if place is not None and place <= CARDS:
                counts["found"] += 1
                continue
            missed.append(Missed(entry.id, text, ranked[0], place))
            problems.append(_not_found(sheets[entry.id], ("examples", position), missed[-1]))
        for position, text in enumerate(entry.not_for):
            ranked = [match.id for match in base.hearing.rank(text, limit=1)]
            counts["refusals"] += 1
            if ranked[:1] != [entry.id]:
                counts["refused"] += 1
                continue
            message, hint = f"not_for: 「{text}」で、この項目が 1 位になります", "正しい項目の examples に、似た文を足してください。"
            problems.append(sheets[entry.id].problem(("not_for", position), "warning", "refusal_first", message, hint))
    return Trial(counts["examples"], counts["found"], counts["first"], counts["refusals"], counts["refused"], tuple(missed), tuple(problems))


def _not_found(sheet: Sheet, way: Trail, missed: Missed) -> Problem:
    where = f"{missed.place} 位" if missed.place else "10 位までにありません"
    message = f"examples: 「{missed.text}」は、この文がないと自分の項目を見つけません（{where}。1 位は {missed.first}）"
    return sheet.problem(way, "warning", "not_found", message, "言い方のちがう例文を足すか、keywords に大事な言葉を足してください。")
