"""What the schema refuses, told at its line in the file and in Japanese (D15): unknown fields with 「もしかして」, wrong shapes, wrong words."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from rapidfuzz import fuzz, process

from knowledge.enclosed import quoted
from knowledge.entry import OTHER_LANGUAGES
from knowledge.hearing.normalise import hiragana
from knowledge.problem import Problem
from knowledge.reading import Read, Trail, Tree
from knowledge.written import LANGUAGES_CALLED

OUR_WORD_FOR: Final = {
    "電話": "tel", "電話番号": "tel", "TEL": "tel", "phone": "tel", "telephone": "tel", "名前": "name", "名称": "name",
    "title": "name", "概要": "summary",
    "説明": "summary", "description": "summary", "例文": "examples", "例": "examples", "キーワード": "keywords", "検索語": "keywords",
    "時間": "hours", "受付時間": "hours", "開館時間": "hours", "営業時間": "hours", "曜日": "days", "休み": "closed", "休館日": "closed",
    "定休日": "closed", "連絡先": "contacts", "窓口": "contacts", "住所": "address", "場所": "place", "費用": "cost", "料金": "cost",
    "対象": "who", "持ち物": "bring", "方法": "how", "申込": "how", "分野": "domain", "確認日": "checked", "よみ": "kana", "読み": "kana",
    "ふりがな": "kana", "メール": "mail", "email": "mail", "根拠": "law", "法律": "law", "ホームページ": "url", "URL": "url",
    "年齢": "age", "世帯": "household", "地域": "area", "備考": "note", "注意": "note",
    "地区": "area", "言語": "languages", "定員": "capacity", "満員": "full", "満席": "full",
    "repeat": "every", "毎週": "every", "日付": "on", "date": "on", "日時": "on",
    "なまえ": "name", "ひよう": "cost", "りょうきん": "cost", "でんわ": "tel", "じかん": "hours", "せつめい": "summary", "れんらくさき": "contacts",
    "じゅうしょ": "address", "ばしょ": "place", "たいしょう": "who", "もちもの": "bring", "やすみ": "closed", "ようび": "days",
    "time": "hours", "hours": "from",
    "start": "from", "open": "from", "開始": "from", "開始時間": "from", "end": "to", "close": "to", "終了": "to", "終了時間": "to", "to": "until",
}  # fmt: skip
"""What people call a field → what it is called here."""
OUR_VALUE_FOR: Final = {
    "相談": "consultation", "窓口": "consultation", "給付": "benefit", "手当": "benefit", "お金": "benefit", "助成": "benefit", "サービス": "service",
    "場所": "place", "施設": "place", "居場所": "place", "活動": "activity", "催し": "activity", "イベント": "activity", "緊急": "emergency",
    "ばしょ": "place", "そうだん": "consultation", "子供": "child", "こども": "child",
    "今夜": "tonight", "夜間": "night", "夜": "night", "子ども": "child", "訪問": "outreach", "匿名": "anonymous", **LANGUAGES_CALLED,
    **{str(number): f"T{number:02}" for number in range(1, 17)}, **{f"T{number}": f"T{number:02}" for number in range(1, 10)},
}  # fmt: skip
"""What people write for a closed word → the word."""
TOPIC_WORDS: Final = {
    "T01": "病気や健康、障害", "T02": "住まい", "T03": "収入・生活費", "T04": "家賃やローンの支払い",
    "T05": "税金や公共料金等の支払い", "T06": "債務", "T07": "仕事探し、就職", "T08": "仕事上の不安やトラブル",
    "T09": "地域との関係", "T10": "家族との関係", "T11": "子育て", "T12": "介護",
    "T13": "ひきこもり・不登校", "T14": "DV・虐待", "T15": "食べるものがない", "T16": "その他",
}  # fmt: skip
"""The topics as the national intake form has them: nobody knows them by their codes."""
CALLED: Final = {
    **TOPIC_WORDS, "consultation": "相談", "benefit": "お金", "service": "サービス", "place": "場所", "activity": "活動", "emergency": "緊急",
    "tonight": "今夜助けになる", "night": "夜に開いている", "child": "子ども本人", "outreach": "来てくれる", "no-certificate": "手帳がなくてもよい",
    "anonymous": "名前を言わなくてよい", "any-language": "ことばを問わない",
}  # fmt: skip
"""Closed words → what they are called in Japanese."""
HOW_TO_WRITE: Final = {
    "hours": '- {days: 月-金, from: "9:00", to: "17:00"}', "contacts": "- name: 福祉課", "events": "- {title: 茶話会, on: 2026-12-03}",
    "checked": "checked: {on: 2026-10-01, by: 福祉課}", "who": "who: {note: 市内に住んでいる人}",
    "valid": "valid: {from: 2026-04-01, until: 2027-03-31}", "place": "place: {address: 中央1丁目}",
    "translations": "translations: {en: {name: …, summary: …}}", "examples": "- 住民が書くような文",
    **{str(lang): f"{lang}: {{name: …, summary: …}}" for lang in OTHER_LANGUAGES},
}  # fmt: skip
"""A field that is more than one word → one line of how it is written."""
_ODD_COLON: Final = re.compile(r"\s*([^：=]+?)\s*([：=])\s*(.*?)\s*$")
"""A name and its value with another mark between them, which is a name without a value to YAML."""
NEAR: Final = 60
"""How alike two words must be to be taken for the same one misspelt (0–100)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file in which some of an entry's fields stand, and where in it the entry begins."""

    read: Read
    trail: Trail
    fields: Tree

    def has(self, way: Trail) -> bool:
        """A value stands there in this file."""
        found: Any = self.fields
        for part in way:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return False
        return True


ADDED: Final = ("keywords", "examples", "not_for")
"""Lists to which a town can add (`examples+:`) and leave what stands below to be kept by whoever wrote it."""


def placed(sources: Sequence[Source], way: Trail, row: object = None) -> tuple[Source, Trail]:
    """The layer in which a value stands, and the way to it there. `row`: what stands at the way, for a row of a list made of several layers."""
    name = way[0] if way else ""
    if name in ADDED:
        for source in sources:
            for called in (f"{name}+", str(name)):
                rows = source.fields.get(called) if isinstance(source.fields, dict) else None
                if len(way) == 1 and rows is not None:
                    return source, (called,)
                if len(way) > 1 and isinstance(rows, list) and row in rows:
                    itself = isinstance(way[1], int) and way[1] < len(rows) and rows[way[1]] == row  # the second of two alike stays the second
                    return source, (called, way[1] if itself else rows.index(row), *way[2:])
    return next((source for source in sources if way and source.has(way)), sources[0]), way


def complaints(error: ValidationError, model: type[BaseModel], sources: list[Source]) -> Iterator[Problem]:
    """Every mistake of one entry, each at its place. `sources`: the uppermost layer first."""
    return (problem for _, problem in complaints_by_way(error, model, sources))


def complaints_by_way(error: ValidationError, model: type[BaseModel], sources: list[Source]) -> Iterator[tuple[Trail, Problem]]:
    """The same, each with the way to the value it is about: `("contacts", 0, "tel")`."""
    found = error.errors(include_url=False)
    in_one = {_way(one)[:-1] for one in found if one["type"] == "two_clocks"}
    otherwise = _written_otherwise(found, model)
    for one in found:
        way = _way(one)
        if _is_unknown(one) and _name(way).startswith("?"):
            continue  # no name at all: told where it was read
        source, there = placed(sources, way, one.get("input"))
        if one["type"] == "missing" and (way in otherwise or way[:-1] in in_one or not source.read.whole):
            continue  # it stands there, under another name or in a line that could not be read
        yield way, _complaint(one, way, there, model, source)


def refused(error: ValidationError, model: type[BaseModel]) -> set[Trail]:
    """The ways to what cannot be read: of what is missing to that in which it is; of a misspelt field to the one that was meant, too."""
    found = error.errors(include_url=False)
    ways = {_way(one)[:-1] if one["type"] == "missing" else _way(one) for one in found}
    return ways | _written_otherwise(found, model)


def _written_otherwise(found: Sequence[ErrorDetails], model: type[BaseModel]) -> set[Trail]:
    """The ways to fields that are not missing: they stand there misspelt, or in one word with their value."""
    ways = set[Trail]()
    for one in found:
        *block, _ = way = _way(one) or ("",)
        near = nearest(_name(way), field_names(_model_at(model, tuple(block)))) if _is_unknown(one) else None
        odd = _ODD_COLON.match(_name(way))
        ways |= {(*block, name) for name in (near, odd and odd[1]) if name}
    return ways


def _way(one: ErrorDetails) -> Trail:
    return tuple(part for part in one["loc"] if part != "[key]")


def _is_unknown(one: ErrorDetails) -> bool:
    return one["type"] == "extra_forbidden"


def _complaint(one: ErrorDetails, way: Trail, there: Trail, model: type[BaseModel], source: Source) -> Problem:
    name, said = _name(way), one.get("input")
    told = _Telling(source, there, name, said)
    context = one.get("ctx", {})
    if "[key]" in one["loc"]:
        return told.problem("unknown_field", f"「{name}」は使えません", _choose(name, _choices(context)), key=True)
    match one["type"]:
        case "extra_forbidden":
            return _unknown(told, name, model)
        case "missing" if way in _written(source):
            return told.problem("empty", f"{name}: 値が空です", f"「{name}: …」のように、言葉を書いてください。", key=True)
        case "missing":
            return told.problem("missing", f"{name} がありません", f"「{name}: …」の行を足してください。", key=True)
        case "literal_error":
            return told.problem("word", f"{name}: 「{'' if said is None else said}」は使えません", _choose(str(said), _choices(context)))
        case "list" if told.over_lines:
            return told.problem("list", f"{name}: ここは一覧です", "一行ずつ、「- 」（ハイフンと半角の空白）で始めてください。")
        case "tuple_type" | "list_type" if isinstance(said, dict):
            hint = "はじめの行の頭に「- 」をつけて、つづく行の頭を、その行の言葉にそろえてください。"
            return told.problem("list", f"{name}: ここは一覧です", hint)
        case "tuple_type" | "list_type":
            return told.problem("list", f"{name}: ここは一覧です", f"「{HOW_TO_WRITE.get(name, '- …')}」のような行を並べてください。")
        case "model_type" | "mapping_type" | "dict_type" | "model_attributes_type":
            colon = isinstance(said, str) and "：" in said
            example = f"「{HOW_TO_WRITE[name]}」のように書いてください。" if name in HOW_TO_WRITE else "「項目: 値」の形で書いてください。"
            hint = "全角の「：」「｛」は読めません。半角の「: 」「{ }」にしてください。" if colon else example
            return told.problem("wide_colon" if colon else "shape", f"{name}: ここは「項目: 値」のかたまりです", hint)
    if "hint" in context:
        message = one["msg"] if not name else f"{name}: {one['msg']}"
        return told.problem(one["type"], message, context["hint"], suggestion=context.get("suggestion"))
    return told.problem("value", f"{name}: 読めません（{one['msg']}）", "ほかの項目の書き方を見てください。")


@dataclass(frozen=True, slots=True)
class _Telling:
    source: Source
    way: Trail
    name: str
    said: object

    @property
    def over_lines(self) -> bool:
        """The words stand on several lines, which YAML reads as one."""
        place = self.source.read.values.get((*self.source.trail, *self.way))
        return isinstance(self.said, str) and place is not None and place.width == 1 < len(self.said)

    def problem(self, code: str, message: str, hint: str, *, key: bool = False, suggestion: str | None = None) -> Problem:
        read, trail = self.source.read, (*self.source.trail, *self.way)
        mended = None if suggestion is None else _mended(read, trail, self.said, suggestion)
        return read.problem(trail, "error", code, message, hint, key=key, mended=mended)


def _unknown(told: _Telling, name: str, model: type[BaseModel]) -> Problem:
    if odd := _ODD_COLON.match(name):  # {name： 福祉課}
        key, mark, value = odd.groups()
        hint = f"半角の「{key}: {value}」にしてください。"
        what = "全角の「：」は読めません" if mark == "：" else f"「{mark}」では読めません"
        return told.problem("wide_colon", f"{name}: {what}", hint, key=True)
    here = _model_at(model, told.way[:-1])
    known = field_names(here)
    near = nearest(name, known)
    hint = f"もしかして「{near}」ですか。" if near else _elsewhere(name, here) or f"使える項目: {', '.join(known)}"
    return told.problem("unknown_field", f"「{name}」という項目はありません", hint, key=True)


def _elsewhere(name: str, here: type[BaseModel] | None) -> str | None:
    """A field that belongs into a block of this one: tel beside name, instead of below contacts."""
    for block, info in here.model_fields.items() if here else ():
        inside = next(_models_in(info.annotation), None)
        near = nearest(name, field_names(inside)) if inside is not None and block in ("contacts", "who", "place") else None
        if near is not None:
            return f"「{near}」は、「{block}:」の中に、字下げして書きます。"
    return None


def _choose(said: str, choices: list[str]) -> str:
    said = unicodedata.normalize("NFKC", said).strip()
    near = closed_word(said, choices)
    topics = [code for code, words in TOPIC_WORDS.items() if code in choices and len(said) > 1 and said in words]
    near = topics[0] if len(topics) == 1 else near
    if near is None and len(said) > 3:  # T17 is near to every topic
        near = closest(said, choices)
    if near in choices:
        return f"もしかして「{near}（{TOPIC_WORDS[near]}）」ですか。" if near in TOPIC_WORDS else f"もしかして「{near}」ですか。"
    called = [f"{choice}（{CALLED[choice]}）" if choice in CALLED else choice for choice in choices]
    return f"次から選んでください: {', '.join(called)}"


def closed_word(said: str, choices: Collection[str]) -> str | None:
    """The closed word that people call so: 場所 is `place`."""
    called = (choice for choice in choices if CALLED.get(choice) == said)
    known = said if said in choices else OUR_VALUE_FOR.get(said) or OUR_VALUE_FOR.get(said.lower())
    return known if known in choices else next(called, None)


def _choices(context: dict[str, Any]) -> list[str]:
    expected = str(context.get("expected", "")).replace(" or ", ", ")
    return [choice.strip("' ") for choice in expected.split(",") if choice.strip("' ")]


def _mended(read: Read, trail: Trail, value: object, suggestion: str) -> str | None:
    """The line with the value put right, when the whole value stands on it as it was typed."""
    place = read.values.get(trail)
    if place is None:
        return None
    line, start = read.source_line(place.line), place.column - 1
    said = line[start : start + place.width]
    if said.strip("\"'") != value:
        return None  # the line was mended in memory before it was read: places have moved
    was_quoted = said[:1] in ('"', "'")
    right = suggestion if suggestion.startswith(("[", "{")) else quoted(suggestion, always=was_quoted)
    return f"{line[:start]}{right}{line[start + place.width :]}"


def _written(source: Source) -> set[Trail]:
    """The ways at which a field's name stands, with or without a value."""
    start = len(source.trail)
    return {trail[start:] for trail in source.read.keys}


def _name(way: Trail) -> str:
    return next((part for part in reversed(way) if isinstance(part, str)), "")


def field_names(model: type[BaseModel] | None) -> list[str]:
    """What the fields are called in a file."""
    return [info.alias or name for name, info in model.model_fields.items()] if model else []


def nearest(name: str, known: list[str]) -> str | None:
    """The field that was probably meant."""
    plain = unicodedata.normalize("NFKC", name).strip()
    translated = OUR_WORD_FOR.get(plain) or OUR_WORD_FOR.get(hiragana(plain))
    if translated is not None and translated not in known:
        translated = OUR_WORD_FOR.get(translated)  # 終了: the end of a row of hours, or of a time of validity
    return translated if translated in known else closest(plain.lower(), known)


def closest(said: str, known: list[str]) -> str | None:
    """The known word that is most alike; None when none is near."""
    found = process.extractOne(said, known, scorer=fuzz.ratio, score_cutoff=NEAR)
    return None if found is None else str(found[0])


def _model_at(model: type[BaseModel] | None, way: Trail) -> type[BaseModel] | None:
    """The model that describes what stands at `way`."""
    for part in way:
        if model is not None and isinstance(part, str) and part in model.model_fields:
            model = next(_models_in(model.model_fields[part].annotation), None)
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if get_origin(annotation) is None:
        if isinstance(annotation, type) and annotation is not NoneType and issubclass(annotation, BaseModel):
            yield annotation
        return
    for argument in get_args(annotation):
        yield from _models_in(argument)
