"""A town may bring an embedding model; what it cannot do, our own channels do alone."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bot import embedding
from bot.settings import Settings
from knowledge.base import Base, load
from knowledge.hearing.embedding import Embedded, fitted, texts_of
from knowledge.hearing.index import Index
from knowledge.hearing.rank import keys
from knowledge.hearing.rank.postings import Floats

NAMES = {"waste": "粗大ごみの収集", "dance": "社交ダンスの会", "water": "水道の開栓", "child": "児童館", "books": "図書館の本", "bus": "路線バス"}
MEANT = ("カウチ", "ごみ"), ("ステップ", "ダンス"), ("蛇口", "水道")
"""Pairs of words that only the model knows to be alike."""


class Tiny:
    """A model of one dimension a pair of words, and one for everything else."""

    model_id = "tiny-1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str], kind: str) -> Floats:
        self.asked += texts
        return np.array([[*(any(word in text for word in pair) for pair in MEANT), 0.1] for text in texts], np.float32)


class Broken(Tiny):
    def embed(self, texts: Sequence[str], kind: str) -> Floats:
        raise RuntimeError("no memory left on the device")


class Crooked(Tiny):
    def embed(self, texts: Sequence[str], kind: str) -> Floats:
        return np.full((len(texts), 4), np.nan, np.float32)


def _index(model: Tiny | None, examples: dict[str, tuple[str, ...]] | None = None) -> Index:
    entries: dict[str, Any] = {
        one: SimpleNamespace(id=one, name=name, summary="", examples=(examples or {}).get(one, ())) for one, name in NAMES.items()
    }
    index = Index.build(entries)
    if model is None:
        return index
    told = [(number, text) for number, entry in enumerate(entries.values()) for text in texts_of(entry)]
    vectors = Tiny().embed([text for _, text in told], "passage")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    owners = np.array([number for number, _ in told], np.int32)
    return replace(index, embedded=Embedded(model, np.array([keys.digest(text) for _, text in told], np.int64), vectors, owners))


@pytest.mark.parametrize(("words", "entry"), [("カウチ", "waste"), ("ステップ", "dance"), ("蛇口", "water")])
def test_a_word_that_only_the_model_knows_leads_to_its_entry(words: str, entry: str) -> None:
    assert _index(Tiny()).order(words, 1) == [entry]
    assert _index(None).order(words, 6) != _index(Tiny()).order(words, 6)


@pytest.mark.parametrize("model", [Broken(), Crooked()])
def test_a_model_that_fails_leaves_what_our_channels_say(model: Tiny) -> None:
    for words in ("カウチを捨てたい", "図書館の本を返したい", ""):
        assert _index(model).rank(words) == _index(None).rank(words)


def test_the_weight_is_what_finds_most_of_the_own_examples_and_a_useless_model_is_left_out() -> None:
    examples = {"waste": ("カウチ", "カウチが古い"), "dance": ("ステップ", "ステップの練習"), "books": ("本を借りる", "本を返す")}
    with_model = fitted(_index(Tiny(), examples), [text for texts in examples.values() for text in texts])
    assert with_model.embedded is None or with_model.embedded.weight > 0
    useless = fitted(_index(Crooked(), examples), ["カウチ", "本を返す"])
    assert useless.embedded is None


def _town(folder: Path) -> Base:
    folder.mkdir()
    for one, name in NAMES.items():
        more = 'examples: ["カウチ"]\n' if one == "waste" else ""
        (folder / f"{one}.yaml").write_text(f"id: {one}\nname: {name}\nsummary: {name}のことです（見本）。\n{more}", encoding="utf-8")
    return load(folder)


def test_texts_are_embedded_once_and_kept_by_model_and_content(tmp_path: Path) -> None:
    base, first, second = _town(tmp_path / "town"), Tiny(), Tiny()
    embedding.beside(base, first, tmp_path / "kept")
    embedding.beside(base, second, tmp_path / "kept")
    assert "粗大ごみの収集。粗大ごみの収集のことです（見本）。" in first.asked
    assert "粗大ごみの収集。粗大ごみの収集のことです（見本）。" not in second.asked


def test_a_model_that_fails_at_the_start_leaves_the_base_as_it_was(tmp_path: Path) -> None:
    base = _town(tmp_path / "town")
    assert embedding.beside(base, Broken(), None) is base


def test_no_model_is_imported_unless_the_setting_names_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "towns_own_model.py").write_text(
        "class Model:\n    model_id = 'ours'\n    def embed(self, texts, kind):\n        return [[1.0] for _ in texts]\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert Settings().embedding == ""
    assert "towns_own_model" not in sys.modules
    found = embedding.brought("towns_own_model:Model")
    assert found is not None
    assert found.model_id == "ours"
    assert embedding.brought("towns_own_model:Other") is None
    assert embedding.brought("no_such_module:Model") is None
