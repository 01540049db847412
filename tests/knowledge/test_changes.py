"""What an edit changes is seen before it is relied on: answers before and after, a new starter under a town, the schema in the editor."""

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from bot.knowledge_verbs import app
from knowledge.base import Base, load, would_be
from knowledge.changes import changed_answers, changed_nearby, fields_of, shadows, starter_changes
from knowledge.entry import Entry
from knowledge.layers import STARTER, lay
from knowledge.reading import Tree, read_yaml
from knowledge.schema import WORDS, entry_schema
from tests.kept import kept as kept_for
from tests.knowledge.test_broken_files import SOUND

PLACE = "id: {id}\nname: {name}\nsummary: {name}です。\nexamples: [{examples}]\n"
CHESS = PLACE.format(id="shougi", name="将棋の会", examples="将棋をさしたい, 将棋の相手がほしい")
TEA = PLACE.format(id="ocha", name="お茶の会", examples="お茶を飲みたい, お茶の相手がほしい")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "machi"
    place.mkdir()
    (place / "town.yaml").write_text("name: 山野町\n", encoding="utf-8")
    (place / "shougi.yaml").write_text(CHESS, encoding="utf-8")
    (place / "ocha.yaml").write_text(TEA, encoding="utf-8")
    return place


@pytest.fixture
def base(folder: Path, kept: Path) -> Base:
    return load(folder, kept)


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_an_edit_shows_the_sentences_whose_answer_it_changes_and_only_those(folder: Path, base: Base, kept: Path) -> None:
    greedy = TEA.replace("examples: [", "examples: [将棋をさしたい人です, 将棋をさしたいです, 将棋をさしたいのです, ")
    after = would_be(folder, {folder / "ocha.yaml": greedy.encode()}, base, kept)
    answers = {answer.text: answer for answer in changed_answers(base, after)}
    assert answers["将棋をさしたい人です"].before is None
    assert "お茶を飲みたい" not in answers
    assert base.entries["ocha"].examples != after.entries["ocha"].examples
    assert (folder / "ocha.yaml").read_text("utf-8") == TEA, "nothing was written"


def test_a_sentence_that_loses_its_entry_is_worse(folder: Path, base: Base, kept: Path) -> None:
    after = would_be(folder, {folder / "shougi.yaml": CHESS.replace("id: shougi", "id: shougi\nhidden: true").encode()}, base, kept)
    answers = {answer.text: answer for answer in changed_answers(base, after)}
    assert answers["将棋をさしたい"].after is None, "a hidden entry brings no sentences"
    assert changed_answers(base, base) == []


@pytest.fixture(scope="module")
def sample() -> Base:
    """The whole of a town, over the starter."""
    return load(STARTER.parent / "sample-town", kept_for("sample-town"))


def test_before_publishing_few_sentences_are_asked_and_nine_of_ten_that_change_are_among_them(sample: Base) -> None:
    rows = "".join(f'  - "{text}。困った"\n' for text in sample.entries["food-bank"].examples[:60])
    greedy = f"id: ocha\nname: お茶の会\nsummary: お茶を飲みます。\nexamples:\n{rows}"
    after = would_be(sample.folder, {sample.folder / "ocha.yaml": greedy.encode()}, sample, kept_for("sample-town"))
    impact = changed_nearby(sample, after)
    assert impact.asked < impact.stored / 10
    told = {answer.text for answer in impact.answers}
    near = [one.text for one in sample.stored_sentences if one.entry_id == "food-bank"]
    was, now = sample.cards_for(near), after.cards_for(near)
    changed = {text for text in near if was[text][0] != now[text][0]}
    assert len(changed - told) <= len(changed) / 10, changed - told
    assert impact.felt


def test_an_entry_that_goes_away_is_felt_by_the_sentences_it_leaves_to_others(sample: Base) -> None:
    after = would_be(sample.folder, {sample.folder / "gone.yaml": b"id: tajuu-saimu\nhidden: true\n"}, sample, kept_for("sample-town"))
    impact = changed_nearby(sample, after)
    assert {answer.after for answer in impact.answers if answer.entry_id == "tajuu-saimu"} == {None}
    assert impact.felt, "sentences of other entries that showed it show another card now"


def test_entries_that_take_each_others_sentences_are_named_in_pairs() -> None:
    missed = {"a": ("x", "y"), "b": ("x", "y"), "c": ("x", "z"), "d": ("w", "w")}
    [pair] = shadows(missed)
    assert (pair.entry_id, pair.shadowed_by, pair.sentences) == ("x", "y", ("a", "b"))


def test_changed_compares_with_what_git_keeps(folder: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.jp")
        subprocess.run(["git", "-C", str(folder.parent), *who, *words], check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "a")
    code, said = run("test", folder, "--changed")
    assert (code, "答えがかわる文 0 件" in said) == (0, True)
    (folder / "hana.yaml").write_text(PLACE.format(id="hana", name="花の会", examples="花を見たい"), encoding="utf-8")
    code, said = run("test", folder, "--changed")
    assert "「花を見たい」" in said
    assert "花の会（hana）" in said


def test_changed_without_git_asks_for_a_folder_and_takes_one(folder: Path, tmp_path: Path) -> None:
    assert run("test", folder, "--changed")[0] == 2
    shutil.copytree(folder, tmp_path / "before")
    assert run("test", folder, "--changed", "--against", tmp_path / "before")[0] == 0


# ---------------------------------------------------------------- a new starter


def test_an_update_of_the_starter_never_touches_what_the_town_wrote_and_says_what_it_changes(tmp_path: Path) -> None:
    (tmp_path / "town.yaml").write_text("name: 山野町\nextends: starter\n", encoding="utf-8")
    (tmp_path / "food-bank.yaml").write_text("id: food-bank\ncost: 町では無料\n", encoding="utf-8")
    town, before = lay(tmp_path), fields_of(lay(STARTER))
    after = {name: dict(fields) for name, fields in before.items()}
    after["food-bank"] |= {"cost": "有料", "how": "電話で"}
    after["atarashii"] = {"id": "atarashii", "name": "新しい制度"}
    del after["kakei-kaizen-shien"]
    found = {(change.entry_id, change.field): change.kept for change in starter_changes(before, after, town)}
    assert found == {("food-bank", "cost"): True, ("food-bank", "how"): False, ("atarashii", ""): False, ("kakei-kaizen-shien", ""): False}


def test_a_new_town_remembers_the_starter_it_began_with(tmp_path: Path) -> None:
    place = tmp_path / "machi"
    assert run("new", place)[0] == 0
    code, said = run("diff", place)
    assert (code, "ちがい 0 か所" in said) == (0, True)
    seen = json.loads((place / ".starter.json").read_text("utf-8"))
    seen["food-bank"]["cost"] = "むかしの値"
    (place / ".starter.json").write_text(json.dumps(seen), encoding="utf-8")
    code, said = run("diff", place)
    assert "～ food-bank cost: むかしの値 → 無料　→ この町の案内がかわります" in said
    run("diff", place, "--accept")
    assert "ちがい 0 か所" in run("diff", place)[1]


def test_a_folder_without_a_memory_says_how_to_make_one(folder: Path) -> None:
    code, said = run("diff", folder)
    assert code == 2
    assert "--accept" in said


# ---------------------------------------------------------------- the schema


def as_the_editor_reads(value: Tree) -> object:
    """YAML 1.2, as the extension reads it: true and numbers are no text."""
    if isinstance(value, dict):
        return {name: as_the_editor_reads(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_the_editor_reads(inner) for inner in value]
    if value in ("true", "false"):
        return value == "true"
    return value


def test_every_file_of_the_starter_fits_the_schema_and_a_misspelt_field_does_not() -> None:
    schema = jsonschema_rs.validator_for(entry_schema())
    for file in sorted(STARTER.glob("*/*.yaml")):
        if file.parent.name == "danger":
            continue
        tree = as_the_editor_reads(read_yaml(file).tree)
        assert not [str(error) for error in schema.iter_errors(tree)], file
    assert schema.is_valid(as_the_editor_reads(read_yaml(SOUND).tree))
    assert not schema.is_valid(as_the_editor_reads(read_yaml(SOUND.replace("cost:", "costs:")).tree))
    assert not schema.is_valid(as_the_editor_reads(read_yaml(SOUND.replace("kind: place", "kind: plase")).tree))


def test_every_field_has_a_japanese_word() -> None:
    fields = {f"Entry.{info.alias or name}" for name, info in Entry.model_fields.items()}
    assert fields <= WORDS.keys()


def test_the_schema_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    assert run("schema", tmp_path)[0] == 0
    assert json.loads((tmp_path / "entry.schema.json").read_text("utf-8")) == entry_schema()
    assert json.loads(run("schema")[1]) == entry_schema()


def test_the_files_of_the_starter_lead_an_editor_to_the_schema_as_it_is_now() -> None:
    file = STARTER.parent / "entry.schema.json"
    assert json.loads(file.read_text("utf-8")) == entry_schema(), "run: madoguchi knowledge schema knowledge"
    for entry in STARTER.glob("*/*.yaml"):
        if entry.parent.name != "danger":
            first = entry.read_text("utf-8").split("\n", 1)[0]
            assert (entry.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve() == file, entry
