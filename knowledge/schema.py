"""The schema of an entry for editors (VS Code's YAML extension): JSON Schema with a Japanese word on every field, made from entry.py."""

from collections.abc import Mapping
from typing import Any, Final

from knowledge.complaints import ADDED
from knowledge.entry import TOPICS, Entry

MODELINE: Final = "# yaml-language-server: $schema={}"
"""The first line by which the extension finds the schema."""
FILE: Final = "entry.schema.json"

WORDS: Final[Mapping[str, str]] = {
    "Entry.id": "変わらない名前。半角の英小文字・数字・「-」。ファイルの名前と同じにします（例: food-bank）。",
    "Entry.name": "住民に見える名前（40 文字まで）。",
    "Entry.kana": "よみがな。ひらがなで書きます。",
    "Entry.domain": "くらしの分野。domains.yaml の id（例: okane）。",
    "Entry.kind": "種類: consultation 相談 / benefit お金 / service サービス / place 場所 / activity 活動 / emergency 緊急",
    "Entry.topics": "国の相談票の 16 の分類（T01〜T16）。重いものから 3 つまで。",
    "Entry.summary": "何をしてくれるか、です・ますで 80 文字まで。",
    "Entry.keywords": "住民が使う言葉。",
    "Entry.examples": "住民が書くような文。いちばん大事なところです。5 つ以上あると見つかりやすくなります。",
    "Entry.not_for": "似ているけれど、この項目ではない文。",
    "Entry.who": "だれのためか。",
    "Entry.how": "どうすれば使えるか。",
    "Entry.cost": "費用（例: 無料）。",
    "Entry.bring": "持ち物。",
    "Entry.contacts": "連絡先。窓口がいくつもあるときは「- name:」から下をくり返します。",
    "Entry.events": "催し。日が決まっているものは on、くり返すものは every。",
    "Entry.law": "根拠になる法律や条例。",
    "Entry.provider": "実施する人や団体。",
    "Entry.tags": "tonight 今夜助けになる / night 夜に開いている / child 子ども本人 / outreach 来てくれる / "
    "no-certificate 手帳などがいらない / anonymous 名前がいらない / "
    "any-language いろいろな言語で話せる（ほかの言語で書く人に、いつも出る）",
    "Entry.unverified": "まだ確かめていない項目の名前。カードに「未確認」と出ます。",
    "Entry.checked": "電話などで確かめた日と課。180 日をこえると「要確認」です。",
    "Entry.valid": "案内する期間（両方の日をふくみます）。",
    "Entry.translations": "ほかの言葉での名前・説明・対象・使い方（easy, en, zh, pt, vi …）。",
    "Entry.hidden": "true のあいだは出ません。",
    "Contact.name": "窓口の名前。",
    "Contact.tel": '半角の数字と「-」を " で囲みます（例: "0120-000-000"、"#8008"）。わからないときは null。',
    "Contact.fax": "ファックスの番号。",
    "Contact.mail": "メールの住所。",
    "Contact.url": "案内のページ（https:// から）。",
    "Contact.area": "受けもつ地区。town.yaml の areas か、全域。",
    "Contact.hours": "開いている時間。昼休みがあれば行を分けます。いつでもなら 24時間。",
    "Contact.closed": "休みの日: 祝日、年末年始、第3月、8/13-8/16、2026-12-28 など。",
    "Contact.place": "場所。",
    "Contact.languages": "話せる言葉。通訳があるときだけ、その言葉を足します。",
    "Contact.hotline": "全国の電話の id（hotlines.yaml）。",
    "Hours.days": "曜日: 月-金、月・水・金、毎日、平日、土日祝、第2・4土 など。",
    "Hours.from": '始まり（例: "9:00"）。',
    "Hours.to": '終わり（例: "17:15"）。夜をまたぐときは 翌5:00。',
    "Place.address": "住所。",
    "Place.lat": "緯度（例: 35.6586）。",
    "Place.lon": "経度（例: 139.7454）。",
    "Place.url": "地図のページ。",
    "Event.title": "催しの名前。",
    "Event.on": "日（例: 2026-12-03）。",
    "Event.every": "くり返し（例: 毎週火、第2・4木）。",
    "Event.from": "始まり。",
    "Event.to": "終わり。",
    "Event.closed": "休みの日。",
    "Event.place": "場所。",
    "Event.note": "ひとこと。",
    "Event.capacity": "定員。",
    "Event.full": "いっぱいになった日（例: [2026-12-03]）。空きが出たら消します。",
    "Event.access": "行きかた（段差、駐車場、送迎など）。",
    "Event.together": "はじめての日に、だれが一緒か。例：職員が玄関で待っています",
    "Who.age": "年齢。",
    "Who.household": "世帯。",
    "Who.area": "地域。",
    "Who.note": "だれのためか、言葉で（例: 市内に住んでいる人）。",
    "Checked.on": "確かめた日（例: 2026-10-01）。",
    "Checked.by": "確かめた課。",
    "Validity.from": "この日から案内します。",
    "Validity.until": "この日まで案内します。",
    "Translation.name": "名前。",
    "Translation.summary": "説明。",
    "Translation.who": "だれのためか（who の note と同じこと）。",
    "Translation.how": "どうすれば使えるか。",
}
"""Model and field → what to write there."""


def entry_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a file: one entry, or a list of entries. Only the id is required: a town's file may say only what differs."""
    schema = Entry.model_json_schema(by_alias=True)
    defs: dict[str, Any] = schema.pop("$defs")
    defs["Entry"] = {**schema, "required": ["id"]}
    for model, told in defs.items():
        told.pop("title", None)
        for field, about in told.get("properties", {}).items():
            told["properties"][field] = _field(f"{model}.{field}", about)
    properties = defs["Entry"]["properties"]
    for name in ADDED:
        properties[f"{name}+"] = {**properties[name], "description": "全国の一覧に足す分だけ。全国の一覧が新しくなると、その文も使われます。"}
    one = {"$ref": "#/$defs/Entry"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "まるごと相談窓口: 地域の情報の一項目",
        "anyOf": [one, {"type": "array", "items": one}],
        "$defs": {name: _without_words(told) for name, told in defs.items()},
    }


def _without_words(told: dict[str, Any]) -> dict[str, Any]:
    """Docstrings of our code are for us, not for staff."""
    return {name: value for name, value in told.items() if name != "description"}


def _field(name: str, about: dict[str, Any]) -> dict[str, Any]:
    """One field: null and nothing are the same, hours may be the word 24時間."""
    kept = {key: value for key, value in about.items() if key not in ("title", "default", "description")}
    choices = kept.pop("anyOf", None) or [kept]
    if name.endswith(".hours"):
        choices = [*choices, {"enum": ["24時間", "24時間365日"]}]
    if {"type": "null"} not in choices and name != "Entry.id":
        choices = [*choices, {"type": "null"}]
    found: dict[str, Any] = {"description": WORDS[name], "anyOf": choices} if len(choices) > 1 else {"description": WORDS[name], **choices[0]}
    if name == "Entry.topics":
        found["examples"] = [list(TOPICS[:1])]
    return found
