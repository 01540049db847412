"""A file that is saved is live in a moment; a broken one changes nothing, and says where without a word of it (design.md §3, R50)."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlmodel import func, select

from bot.building import build_apart
from bot.living import LivingKnowledge
from knowledge.base import STARTER, BrokenBase
from storage.store import Store
from storage.tables.talk import Inbox
from tests.town import Town

PATIENCE = 60
"""Seconds a loaded machine may take; what is asked of the product is five."""
ENTRY = "id: ibasho\nname: {name}\nsummary: だれでも来られる場所です。\nexamples: [昼に行くところがない]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "machi"
    place.mkdir()
    (place / "town.yaml").write_text("name: 山野町\n", encoding="utf-8")
    (place / "ibasho.yaml").write_text(ENTRY.format(name="居場所"), encoding="utf-8")
    return place


@pytest.fixture
async def living(folder: Path, tmp_path: Path) -> AsyncIterator[LivingKnowledge]:
    found = LivingKnowledge(folder, tmp_path / "kept")
    watching = asyncio.create_task(found.watch())
    await asyncio.sleep(1)  # the watcher of the disk has to be there before something happens
    yield found
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.1)


async def test_a_saved_file_is_live_and_whoever_began_before_keeps_the_town_of_before(folder: Path, living: LivingKnowledge) -> None:
    begun = living.town
    (folder / "ibasho.yaml").write_text(ENTRY.format(name="みんなの家"), encoding="utf-8")
    await until(lambda: living.town is not begun)
    assert living.town.base.entries["ibasho"].name == "みんなの家"
    assert begun.base.entries["ibasho"].name == "居場所"


@pytest.mark.requirement("R50")
async def test_a_broken_file_stops_nothing_and_its_mending_is_live_again(
    folder: Path, living: LivingKnowledge, capsys: pytest.CaptureFixture[str]
) -> None:
    running = living.town
    (folder / "ibasho.yaml").write_text("id: ibasho\nname：ひみつの名前\n", encoding="utf-8")
    await until(lambda: bool(living.problems))
    assert living.town is running
    assert {(Path(problem.file).name, problem.line, problem.code) for problem in living.problems} >= {("ibasho.yaml", 2, "wide_colon")}
    said = capsys.readouterr()
    assert "ibasho.yaml:2 wide_colon" in said.out + said.err
    assert "ひみつ" not in said.out + said.err
    (folder / "ibasho.yaml").write_text(ENTRY.format(name="なおした家"), encoding="utf-8")
    await until(lambda: living.town is not running)
    assert living.problems == ()
    assert living.town.base.entries["ibasho"].name == "なおした家"


async def test_a_new_file_and_a_deleted_one_are_seen(folder: Path, living: LivingKnowledge) -> None:
    (folder / "nedoko.yaml").write_text("id: nedoko\nname: 今夜の寝床\nsummary: 泊まれます。\n", encoding="utf-8")
    await until(lambda: "nedoko" in living.town.base.entries)
    (folder / "nedoko.yaml").unlink()
    await until(lambda: "nedoko" not in living.town.base.entries)


def test_only_what_changed_is_read_anew_and_the_answers_are_those_of_a_fresh_start(tmp_path: Path) -> None:
    folder = tmp_path / "minato"
    for domain in ("koritsu", "okane"):
        shutil.copytree(STARTER / domain, folder / domain)
    living = LivingKnowledge(folder, tmp_path / "kept")
    (folder / "hanabi.yaml").write_text(
        "id: hanabi\nname: 花火の相談\nsummary: 花火の音の相談です。\nexamples: [花火の音がうるさい]\n", encoding="utf-8"
    )
    assert living.catch_up()
    fresh = LivingKnowledge(folder).town.base
    for text in ("花火の音がうるさい", "米びつが空っぽです", "部屋から出てこない息子のことで"):
        assert living.town.base.hearing.rank(text) == fresh.hearing.rank(text)


def test_what_the_desk_has_built_already_is_not_built_again_when_the_watcher_sees_its_files(folder: Path) -> None:
    living = LivingKnowledge(folder)
    (folder / "ibasho.yaml").write_text(ENTRY.format(name="みんなの家"), encoding="utf-8")
    assert living.catch_up()
    published = living.town
    living.catch_up()
    assert living.town is published
    (folder / "ibasho.yaml").write_text(ENTRY.format(name="みんなの庭"), encoding="utf-8")
    living.catch_up()
    assert living.town.base.entries["ibasho"].name == "みんなの庭"


def test_a_change_that_cannot_be_used_leaves_everything_as_it_was(folder: Path) -> None:
    living, file = LivingKnowledge(folder), folder / "ibasho.yaml"
    running, before = living.town, file.read_text(encoding="utf-8")
    assert not living.change(lambda: file.write_text("id: [", encoding="utf-8"), lambda: file.write_text(before, encoding="utf-8"))
    assert file.read_text(encoding="utf-8") == before
    assert living.catch_up()
    assert (living.town, living.problems) == (running, ())


def test_a_change_beside_a_file_somebody_else_broke_leaves_that_one_to_be_told(folder: Path) -> None:
    living, file = LivingKnowledge(folder), folder / "ibasho.yaml"
    (folder / "hatake.yaml").write_text("id: [", encoding="utf-8")
    before = file.read_text(encoding="utf-8")
    changed = ENTRY.format(name="みんなの家")
    assert not living.change(lambda: file.write_text(changed, encoding="utf-8"), lambda: file.write_text(before, encoding="utf-8"))
    assert not living.catch_up()
    assert [Path(problem.file).name for problem in living.problems] == ["hatake.yaml"]


def test_the_running_product_takes_a_saved_file_and_loses_no_message(build_town: Callable[..., Town], town_store: Store, folder: Path) -> None:
    with build_town(town_store, knowledge=folder) as town:
        resident = town.resident_on("line")
        before, said, stored = town.parts.knowledge.town, 1, received(town)
        resident.says("こんにちは")
        (folder / "ibasho.yaml").write_text(ENTRY.format(name="みんなの家"), encoding="utf-8")
        end = time.monotonic() + PATIENCE
        while town.parts.knowledge.town is before and time.monotonic() < end:
            resident.says("やめる")
            said += 1
            time.sleep(0.2)
        assert town.parts.knowledge.town.base.entries["ibasho"].name == "みんなの家"
        assert received(town) - stored == said


def received(town: Town) -> int:
    return town.store.transact(lambda rows: rows.exec(select(func.count()).select_from(Inbox)).one())


# ---------------------------------------------------------------- a first start


def kept_files(keep: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in keep.glob("*.kept")}


def test_what_another_process_built_is_taken_as_it_is(folder: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    build_apart(folder, keep)
    built = kept_files(keep)
    assert {name.partition("-")[0] for name in built} == {"layers", "danger", "signs", "index"}
    assert LivingKnowledge(folder, keep).town.base.entries["ibasho"].name == "居場所"
    assert kept_files(keep) == built


def test_a_folder_that_is_broken_is_told_by_loading_it(folder: Path, tmp_path: Path) -> None:
    (folder / "ibasho.yaml").write_text("id: [", encoding="utf-8")
    build_apart(folder, tmp_path / "kept")
    with pytest.raises(BrokenBase):
        LivingKnowledge(folder, tmp_path / "kept")
