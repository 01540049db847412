"""自治体標準オープンデータセット (and 推奨データセット before it) as cities publish it: 支援制度, 公共施設, 介護サービス事業所, 子育て施設, イベント.

Names of columns were read in public uses of the published files, in the old form and the new:
- 推奨データセット, column constants of a loader: 都道府県コード又は市区町村コード, NO, 名称, 名称_カナ, 住所, 方書, 電話番号, 利用可能曜日, 開始時間,
  終了時間, 利用可能日時特記事項, 説明, URL, 備考; 介護サービス事業所名称, 実施サービス, 法人の名称, 事業所番号, 定員;
  受入年齢, 収容定員, 一時預かりの有無; イベント名, 開始日, 終了日, 場所名称, 料金(基本), 参加申込方法.
- 熊本市's tables: 自治体コード, ID, 所在地_連結標記, 建物名等, 利用可能日時特記.
- 観光施設一覧's definition (opendata.pref.tokushima.lg.jp): 全国地方公共団体コード, ID, 地方公共団体名, 名称, 名称_カナ, 名称_英語.
- 支援制度's data model: 制度番号, タイトル（制度名）, サブタイトル（通称）, 対象者, 概要, 内容, 利用・申請方法, 受付開始日, 受付終了日, 根拠法令,
  詳細参照先, 実施組織・支援機関, お問い合わせ先, キーワード, 公開終了日; 東京都's 支援制度（給付金）情報: 制度概要, 給付金額, 連絡先電話番号.
Cities write them with small differences: names are compared by NFKC without spaces and signs, then without what stands in brackets, without の, and
without 施設・ご・お before them, last by what stands behind a 「_」.
A merged cell over two rows (所在地 over 都道府県, 市区町村) leaves its name in its first column only.
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from knowledge.exchange import cells
from knowledge.exchange.csv_rows import LOST, NoTable, read_table
from knowledge.exchange.rows import BadRow, Taken, take
from knowledge.reading import Tree
from knowledge.said import closed_said, hours_said
from knowledge.written import half_width


@dataclass(frozen=True, slots=True)
class Dataset:
    """One kind of table: how it is known, and which columns say what (our word → their names, the first one found wins)."""

    name: str
    prefix: str
    """Ids begin with it, so that two tables never share one."""
    known_by: tuple[str, ...]
    """Columns of which one is in no other kind."""
    fixed: Mapping[str, Tree]
    columns: Mapping[str, tuple[str, ...]]


_BRACKETED: Final = re.compile(r"\([^()]*\)")
_POLITE: Final = re.compile(r"^\s*(?:施設|ご|お)")
_TOTALS: Final = frozenset(("計", "合計", "総計", "小計", "総数"))
_IN_LINES: Final = frozenset(
    ("type", "keywords", "bring", "provider", "short", "tel", "fax", "mail", "url", "days", "from", "to", "hours_note", "closed")
)
"""Columns in which a line says one of several things; elsewhere a line break is only where the cell ended."""
_NUMBER: Final = re.compile(r"\(?0\d{1,4}\)?-?\(?\d{1,4}\)?-?\d{3,4}")

_WHERE: Final = {
    "id": ("ID", "NO", "番号", "管理番号", "整理番号"), "name": ("名称", "施設名", "施設名称", "名前"),
    "kana": ("名称_カナ", "名称カナ", "施設名_カナ", "施設名称_カナ", "名称_かな", "ふりがな", "フリガナ", "よみがな", "カナ"),
    "english": ("名称_英語", "名称_英字", "名称英語"),
    "address": ("所在地_連結表記", "所在地_連結標記", "住所", "所在地"), "building": ("建物名等(方書)", "建物名等", "方書"),
    "prefecture": ("所在地_都道府県",), "city": ("所在地_市区町村",), "town": ("所在地_町字",), "block": ("所在地_番地以下",),
    "lat": ("緯度",), "lon": ("経度",), "tel": ("電話番号", "連絡先電話番号", "問い合わせ電話番号", "問い合わせ電話", "TEL", "電話", "連絡先"),
    "extension": ("内線番号", "連絡先内線番号"),
    "fax": ("FAX番号", "FAX"), "mail": ("メールアドレス", "E-mail"), "days": ("利用可能曜日", "開館曜日"),
    "from": ("開始時間", "開館時間", "利用時間", "利用可能時間", "受付時間", "開所時間", "開館時間_開始", "利用時間_開始", "受付時間_開始"),
    "to": ("終了時間", "閉館時間", "開館時間_終了", "利用時間_終了", "受付時間_終了"),
    "hours_note": ("利用可能日時特記事項", "利用可能日時特記", "利用可能曜日特記事項"),
    "closed": ("休館日", "定休日", "休業日", "休所日", "休み"), "url": ("URL", "ホームページ", "HP"), "summary": ("説明", "概要"), "note": ("備考",),
}  # fmt: skip

DATASETS: Final = (
    Dataset(
        "介護サービス事業所一覧", "kaigo", ("介護サービス事業所名称", "実施サービス", "介護サービスの種類"), {"kind": "service", "domain": "kourei"},
        {**_WHERE, "id": ("事業所番号", "介護サービス事業所番号", *_WHERE["id"]),
         "name": ("介護サービス事業所名称", "事業所名", "事業所名称", *_WHERE["name"]),
         "kana": ("介護サービス事業所名称_カナ", *_WHERE["kana"]), "type": ("実施サービス", "介護サービスの種類", "サービスの種類"),
         "provider": ("法人の名称", "団体名"), "capacity": ("定員",)},
    ),
    Dataset(
        "イベント一覧", "event", ("イベント名",), {"kind": "activity", "domain": "sanka"},
        {**_WHERE, "name": ("イベント名",), "kana": ("イベント名_カナ",), "english": ("イベント名_英語", "イベント名_英字"),
         "on": ("開始日",), "last": ("終了日",),
         "hours_note": ("開始日時特記事項",), "contact": ("連絡先名称",), "tel": ("連絡先電話番号", "電話番号"), "fee": ("料金(基本)", "料金_基本"),
         "fee_note": ("料金(詳細)", "料金_詳細"), "provider": ("主催者",), "place": ("場所名称", "会場"), "capacity": ("定員",),
         "how": ("参加申込方法",), "type": ("カテゴリー", "カテゴリ", "タグ")},
    ),
    Dataset(
        "支援制度（給付金）情報", "seido", ("タイトル(制度名)", "制度番号", "制度名", "支援制度種別"), {"kind": "benefit"},
        {**_WHERE, "id": ("制度番号", "ID", "NO"), "name": ("タイトル(制度名)", "制度名", "制度名称", "タイトル", "名称"),
         "kana": ("制度名_カナ",),
         "short": ("サブタイトル(通称)", "サブタイトル(通称名)"), "who": ("対象者",),
         "summary": ("概要", "制度概要", "説明"), "more": ("内容", "支援内容"),
         "how": ("利用・申請方法", "申請方法"), "cost": ("給付金額",), "valid_from": ("受付開始日",), "valid_until": ("受付終了日", "公開終了日"),
         "law": ("根拠法令",), "url": ("詳細参照先", "URL", "申請方法URL"), "provider": ("実施組織・支援機関", "制度所管組織"),
         "contact": ("お問い合わせ先", "問い合わせ先", "連絡先名称"), "tel": ("連絡先電話番号", "電話番号"), "keywords": ("キーワード",),
         "bring": ("手続等に必要なもの", "必要書類", "持ち物")},
    ),
    Dataset(
        "子育て施設一覧", "kosodate", ("受入年齢", "一時預かりの有無", "病児保育の有無", "収容定員"), {"kind": "place", "domain": "kosodate"},
        {**_WHERE, "type": ("種別",), "provider": ("団体名",), "capacity": ("収容定員",), "age": ("受入年齢",)},
    ),
    Dataset(
        "公共施設一覧", "shisetsu", ("POIコード", "名称_通称", "バリアフリー情報", "利用可能曜日", "名称", "施設名", "施設名称"), {"kind": "place"},
        {**_WHERE, "short": ("名称_通称",), "type": ("種別", "分類", "区分"), "provider": ("団体名",)},
    ),
)  # fmt: skip
"""In the order in which they are tried: 公共施設 has the fewest columns of its own."""


def import_csv(content: bytes, known_ids: Collection[str] = ()) -> Taken:
    """Entries of a published table. A number that is one of our ids already means that entry. Raises NoTable when it is none of the five."""
    rows = read_table(content)
    start, dataset, columns = _header(rows)
    found, notes = list[tuple[int, str, Mapping[str, Tree]]](), list[BadRow]()
    bad, services = list[BadRow](), dict[str, int]()
    for number, row in enumerate(rows[start + 1 :], start + 2):
        filled = {name: cells.unsafe(row[place].strip()) for name, place in columns.items() if place < len(row) and row[place].strip()}
        said = {name: cell if name in _IN_LINES else _one_line(cell) for name, cell in filled.items()}
        if not any(cell.strip() for cell in row):
            continue
        name, lost = said.get("name", ""), list[str]()
        first = next(cell.strip() for cell in row if cell.strip())
        if (not name and sum(bool(cell.strip()) for cell in row) < 3) or first in _TOTALS:
            notes.append(BadRow(number, "", f"表の外の言葉と見て、取りこみません（{first[:40]}）"))
            continue
        if not name or LOST in "".join(row):
            reason = "読めない文字（�）があります。もとの表を見て、打ちなおしてください" if name else "名前のマスが空です。名前を書くと、取りこめます"
            bad.append(BadRow(number, name, reason))
            continue
        fields = _fields({**said, "name": name}, dataset, lost, known_ids)
        if (first_of := services.setdefault(str(fields["id"]), number)) != number and dataset.prefix == "kaigo" and _same_office(found, fields, said):
            notes.append(BadRow(number, name, f"{first_of} 行目と同じ事業所なので、サービス（{said['type']}）をそこに足しました"))
            continue
        found.append((number, name, fields))
        notes += [BadRow(number, name, what) for what in lost]
    taken = take(found, dataset.name, notes)
    return replace(taken, bad=tuple(sorted((*bad, *taken.bad), key=lambda row: row.row)))


def _same_office(found: Sequence[tuple[int, str, Mapping[str, Tree]]], fields: Mapping[str, Tree], said: Mapping[str, str]) -> bool:
    """A care office has a row for each of its services, all under its one number: the first row says them all."""
    first = next(one for _, _, one in found if one["id"] == fields["id"])
    services = first.get("keywords")
    if not said.get("type") or first["name"] != fields["name"] or not isinstance(services, list) or not isinstance(first, dict):
        return False
    if first["summary"] == _are(services):
        first["summary"] = _are([*services, *(cells.listed(said["type"]) or [])])
    first["keywords"] = [*services, *(cells.listed(said["type"]) or [])]
    return True


def _header(rows: Sequence[Sequence[str]]) -> tuple[int, Dataset, dict[str, int]]:
    """The header's last line (some put a title above it), the kind of table, and where each column stands."""
    for number, row in enumerate(rows[:10]):
        below = _second_row(row, rows[number + 1 : number + 2])
        names = _names(_joined(row, below) if below else row)
        for dataset in DATASETS:
            if not any(_plain(known) in names for known in dataset.known_by):
                continue
            columns = {ours: names[_plain(theirs)] for ours, found in dataset.columns.items() if (theirs := _first(found, names))}
            if "name" in columns and len(columns) > 1:
                return number + bool(below), dataset, columns
    known = "、".join(dataset.name for dataset in DATASETS)
    raise NoTable(f"見出しの行が見つかりません。取りこめるのは、{known} です。1 行目に「名称」などの見出しがあるか、見てください。")


def _second_row(row: Sequence[str], after: Sequence[Sequence[str]]) -> Sequence[str]:
    """The row below as part of the header: it fills columns that a merged cell above left empty, and holds no number. Else empty."""
    below = after[0] if after else ()
    under = any(cell.strip() and not "".join(row[place : place + 1]).strip() for place, cell in enumerate(below))
    numbers = re.search(r"\d", unicodedata.normalize("NFKC", "".join(below)))
    return below if under and not numbers and sum(bool(cell.strip()) for cell in row) > 1 else ()


def _joined(row: Sequence[str], below: Sequence[str]) -> list[str]:
    """所在地 over 都道府県 is 所在地_都道府県; 連絡先 over 電話番号 is both 連絡先_電話番号 and, to `_names`, 電話番号."""
    above, found = "", list[str]()
    for place, cell in enumerate(below):
        above = row[place] if place < len(row) and row[place].strip() else above
        found.append(f"{above}_{cell}" if cell.strip() else row[place] if place < len(row) else "")
    return found


def _names(row: Sequence[str]) -> dict[str, int]:
    """What each column may be called → where it stands; its whole name before what is left of it, the first column before a later one."""
    found: dict[str, int] = {}
    names = [unicodedata.normalize("NFKC", cell) for cell in row]
    bare = [_BRACKETED.sub("", name) for name in names]
    short = [_POLITE.sub("", name.replace("の", "")) for name in bare]
    last = [name.rpartition("_")[2] for name in bare]
    for ways in (names, bare, short, last):
        for place, name in enumerate(ways):
            if called := _plain(name):
                found.setdefault(called, place)
    return found


def _are(kinds: Sequence[Tree]) -> str:
    return f"{'、'.join(map(str, kinds))}です。"


def _one_line(said: str) -> str:
    return re.sub(r"\s+", " ", said)


def _first(theirs: Sequence[str], names: Mapping[str, int]) -> str | None:
    return next((name for name in theirs if _plain(name) in names), None)


def _plain(name: str) -> str:
    """タイトル（制度名）, ﾀｲﾄﾙ(制度名) and タイトル (制度名) are one name; so are 名称_カナ and 名称＿カナ and 名称カナ."""
    return re.sub(r"[\s_\-()・.,「」\ufeff]", "", unicodedata.normalize("NFKC", name)).upper()


# ---------------------------------------------------------------- one row


def _fields(row: Mapping[str, str], dataset: Dataset, lost: list[str], known_ids: Collection[str]) -> dict[str, Tree]:
    """The fields of an entry. What is optional and cannot be read is left out and told in `lost`."""
    name, kana = row.get("name", ""), row.get("kana")
    opening = _opening(row, dataset, lost)
    fields: dict[str, Tree] = {
        "id": _id(row, dataset, name, known_ids), "name": name or None, "kana": cells.hiragana(kana) if kana else None, **dataset.fixed,
        "summary": _summary(row, dataset, name), "keywords": cells.listed(row.get("keywords"), row.get("type"), row.get("short")),
        "who": _filled({"age": row.get("age"), "note": row.get("who")}), "how": _one_line(" ".join(filter(None, (row.get("how"), opening.words)))),
        "cost": row.get("cost") or " ".join(filter(None, (row.get("fee"), row.get("fee_note")))) or None,
        "bring": cells.listed(row.get("bring")), "contacts": _contacts(row, opening, name, lost), "events": _events(row, name, lost),
        "law": row.get("law"), "provider": cells.listed(row.get("provider")),
        "valid": _valid(row, lost),
        "translations": {"en": {"name": row["english"]}} if row.get("english") else None,
    }  # fmt: skip
    return _filled(fields) or {}


def _valid(row: Mapping[str, str], lost: list[str]) -> Tree:
    begun = cells.day(row.get("valid_from"), "受付開始日", lost)
    return _filled({"from": begun, "until": cells.day(row.get("valid_until"), "受付終了日", lost)})


def _filled(fields: Mapping[str, Tree]) -> dict[str, Tree] | None:
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})} or None


def _id(row: Mapping[str, str], dataset: Dataset, name: str, known_ids: Collection[str]) -> str:
    """Stable from one import to the next: their number, else a short sum of name and place."""
    if row.get("id") in known_ids:
        return row["id"]
    number = re.sub(r"[^a-z0-9]+", "-", unicodedata.normalize("NFKC", row.get("id", "")).lower()).strip("-")
    if not number:
        number = hashlib.sha256(f"{name}\0{row.get('address', '')}\0{row.get('on', '')}".encode()).hexdigest()[:10]
    return f"{dataset.prefix}-{number}"[:58]


def _summary(row: Mapping[str, str], dataset: Dataset, name: str) -> str | None:
    said = row.get("summary") or row.get("more") or row.get("note")
    if said:
        return _one_line(said)
    kinds = cells.listed(row.get("type"))
    return _are(kinds) if kinds else (f"{name}です。" if name else None)


def _contacts(row: Mapping[str, str], opening: "_Opening", name: str, lost: list[str]) -> Tree:
    whom = half_width(row.get("contact", ""))
    written = _NUMBER.search(whom) if not row.get("tel") else None  # 学校教育課 0123-45-1234 in one cell
    said = half_width(row.get("tel", ""))
    inside = re.search(r"\s*\(?内線\s*:?\s*(\d+)\)?$", said)  # 0123-45-6789（内線5）
    number = cells.tel(written[0] if written else said[: inside.start()] if inside else row.get("tel"), "電話番号", lost)
    whom = re.sub(r"[\s(]*(?:TEL|電話(?:番号)?)?[\s::]*$", "", whom[: written.start()]) if written and number else row.get("contact", "")
    extension = row.get("extension") or (inside[1] if inside else None)
    called = whom or name
    contact = {
        "name": (f"{called}（内線 {extension}）" if extension and number else called) or None, "tel": number,
        "fax": cells.tel(row.get("fax"), "FAX番号", lost),
        "mail": cells.matched(row.get("mail"), r"[^\s@]+@[^\s@]+\.[^\s@]+", "メールアドレス", lost),
        "url": cells.matched(row.get("url"), r"https?://[^\s\"'<>]+", "URL", lost),
        "hours": opening.hours, "closed": opening.closed,
        "place": _filled({"address": _address(row), "lat": cells.degrees(row.get("lat")), "lon": cells.degrees(row.get("lon"))}),
    }  # fmt: skip
    known = _filled(contact) or {}
    return [known] if known.keys() - {"name"} or row.get("contact") else None


@dataclass(frozen=True, slots=True)
class _Opening:
    """When it is open. What was not understood wholly stays in `words`: half-known hours would say いまあいています on a closed day."""

    hours: Tree = None
    closed: Tree = None
    words: str | None = None


def _opening(row: Mapping[str, str], dataset: Dataset, lost: list[str]) -> _Opening:
    """An event's hours are those of the event."""
    if dataset.prefix == "event":
        return _Opening()
    note, closed = row.get("hours_note"), closed_said(row.get("closed", ""))
    exceptions = closed_said(note or "")
    days = cells.days(row["days"]) if "days" in row else "毎日" if closed is not None and row.get("closed") else None
    hours = cells.hours(row.get("days") or days or "", cells.clock(row.get("from")), cells.clock(row.get("to")), lost)
    if hours is None:  # all in one cell: 月～金 9:00～17:00（祝日を除く）
        free = next((found for name in ("from", "days", "hours_note") if (found := hours_said(row.get(name, ""), days))), None)
        if free is not None:
            hours = [{"days": named, "from": begins, "to": ends} for named, begins, ends in free.rows]
            exceptions = (*free.closed, *(exceptions or ())) if exceptions is not None or hours_said(note or "", days) == free else None
    all_closed = list(dict.fromkeys((*(closed or ()), *(exceptions or ()))))
    harmless = exceptions is not None or not _ABOUT_DAYS.search(note or "")
    if closed is not None and harmless and (hours is not None or not _said_when(row)):
        return _Opening(hours, list(all_closed) or None, None if exceptions is not None or not note else f"時間について: {note}")
    told = "、".join(filter(None, (_said_when(row), note, f"休み: {row['closed']}" if row.get("closed") else None)))
    lost.append(f"「{told[:60]}」は、いつ開いているかを読みきれないので、言葉のまま how に入れました")
    return _Opening(words=f"利用できる日と時間: {told}")


_ABOUT_DAYS: Final = re.compile(r"[休除曜祝閉]|月|年末|\d時|\d:\d")
"""A note with such words changes when it is open."""


def _said_when(row: Mapping[str, str]) -> str:
    span = "〜".join(row[name] for name in ("from", "to") if row.get(name))
    return " ".join(filter(None, (row.get("days"), span)))


def _address(row: Mapping[str, str]) -> str | None:
    whole = row.get("address") or "".join(row.get(part, "") for part in ("prefecture", "city", "town", "block"))
    building = row.get("building", "")
    return (whole if not building or whole.endswith(building) else f"{whole} {building}").strip() or None


def _events(row: Mapping[str, str], name: str, lost: list[str]) -> Tree:
    on = cells.day(row.get("on"), "開始日", lost)
    if on is None:
        return None
    last = cells.day(row.get("last"), "終了日", lost)
    notes = [f"{last} まで" if last and last != on else None, row.get("hours_note")]
    begins, ends = cells.clock(row.get("from")), cells.clock(row.get("to"))
    in_order = begins is not None and ends is not None and cells.minutes(ends) > cells.minutes(begins)
    event = {
        "title": name, "on": on, "from": begins, "to": ends if in_order else None, "place": row.get("place"),
        "note": _one_line(" ".join(filter(None, notes))) or None, "capacity": row.get("capacity"),
    }  # fmt: skip
    return [_filled(event) or {}]


# ---------------------------------------------------------------- out


def export_csv(entries: Sequence[Mapping[str, Tree]], dataset_name: str) -> bytes:
    """Entries as a table of the standard: UTF-8 with BOM, one row an entry, each column under the first of its names. Raises KeyError.

    Only the first contact and the first dated event have columns there.
    """
    dataset = {one.name: one for one in DATASETS}[dataset_name]
    columns = {ours: theirs[0] for ours, theirs in dataset.columns.items()}
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns.values())
    for entry in entries:
        told = _cells(entry)
        writer.writerow([cells.safe(told.get(ours) or "") for ours in columns])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cells(entry: Mapping[str, Tree]) -> dict[str, str | None]:
    contact, event = _first_of(entry.get("contacts")), _first_of(entry.get("events"))
    place, valid, who = _block(contact.get("place")), _block(entry.get("valid")), _block(entry.get("who"))
    hours, english = _first_of(contact.get("hours")), _block(_block(entry.get("translations")).get("en"))
    when = event if event.get("on") else hours
    found: dict[str, Tree] = {
        **{name: entry.get(name) for name in ("id", "name", "kana", "summary", "how", "cost", "law", "keywords", "bring", "provider")},
        **{name: contact.get(name) for name in ("tel", "fax", "mail", "url", "closed")}, "contact": contact.get("name"),
        "english": english.get("name"), "address": place.get("address"), "lat": place.get("lat"), "lon": place.get("lon"), "days": hours.get("days"),
        "from": when.get("from"), "to": when.get("to"), "who": who.get("note"), "age": who.get("age"), "valid_from": valid.get("from"),
        "valid_until": valid.get("until"), "on": event.get("on"), "place": event.get("place"), "capacity": event.get("capacity"),
        "fee": entry.get("cost"),
    }  # fmt: skip
    return {name: ";".join(map(str, value)) if isinstance(value, list) else (None if value is None else str(value)) for name, value in found.items()}


def _block(value: Tree) -> Mapping[str, Tree]:
    return value if isinstance(value, dict) else {}


def _first_of(value: Tree) -> Mapping[str, Tree]:
    return _block(value[0]) if isinstance(value, list) and value else {}
