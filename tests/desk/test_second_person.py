"""公開待ち and 危険のことば: a danger sentence is public only after a second person has looked (desk.md §4)."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.living import LivingKnowledge
from tests.desk.conftest import Browser, Office, joins
from tests.desk.test_unheard import ENTRY

NewBrowser = Callable[..., Browser]

DANGER = """rules:
  - id: bridge
    why: 橋へ行くと言っている
    level: L2
    kinds: [suicide]
    hear: [もう死にたい]
    must: [もう死にたい]
    must_not: [死ぬまで元気でいたい]
"""
MORE = DANGER.replace("[もう死にたい]", "[もう死にたい, めがね岩で待ってる]")


@pytest.fixture
def knowledge(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> LivingKnowledge:
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "kome-bank.yaml").write_text(ENTRY, encoding="utf-8")
    (folder / "danger.yaml").write_text(DANGER, encoding="utf-8")
    return LivingKnowledge(folder, tmp_path_factory.getbasetemp() / "kept-second")


def on_disk(office: Office, name: str = "danger.yaml") -> str:
    return (office.parts.knowledge.folder / name).read_text(encoding="utf-8")


async def proposes(browser: Browser, text: str = MORE, act: str = "propose") -> None:
    await browser.opens("/desk/danger-words")
    mark = browser.field("mark", "/desk/danger-words")
    await browser.posts("/desk/danger-words", act=act, file="danger.yaml", text=text, mark=mark, why="橋の名前を足す")


def way_to_proposal(browser: Browser) -> str:
    return browser.page.split('href="/desk/proposals/')[1].split('"')[0]


async def test_a_changed_danger_sentence_waits_until_a_second_person_lets_it_through(office: Office, sato: Browser, tanaka: Browser):
    await proposes(sato)
    assert "ほかの人がたしかめると、公開されます" in sato.text
    assert on_disk(office) == DANGER
    assert office.parts.knowledge.town.base.danger.scan("めがね岩で待ってる").level == "L0"
    one = f"/desk/proposals/{way_to_proposal(sato)}"
    await tanaka.opens(one)
    assert "橋の名前を足す" in tanaka.text
    assert re.search("めがね岩で待ってる 聞こえない (危機|いま命があぶない)", tanaka.text), "at least what the rule says: the ear may raise it"
    await tanaka.posts(one, act="publish")
    assert on_disk(office) == MORE
    heard = office.parts.knowledge.town.base.danger.scan("めがね岩で待ってる")
    assert (heard.rule, heard.level in ("L2", "L3")) == ("bridge", True)
    await tanaka.opens("/desk/danger-words")
    assert "佐藤" in tanaka.text, "the history names who wrote it"


async def test_nobody_lets_their_own_change_through_but_may_take_it_back(office: Office, sato: Browser):
    await proposes(sato)
    one = f"/desk/proposals/{way_to_proposal(sato)}"
    await sato.opens(one)
    assert "たしかめたので公開する" not in sato.text
    await sato.posts(one, act="publish")
    assert sato.status == 409
    assert on_disk(office) == DANGER
    await sato.posts(one, act="refuse")
    assert "たしかめを待っている変更はありません" in sato.text


async def test_a_broken_list_or_one_that_fails_its_own_sentences_is_not_even_proposed(office: Office, sato: Browser):
    await proposes(sato, MORE.replace("hear: [もう死にたい, めがね岩で待ってる]", "hear: [もう死にたい]", 1))
    assert sato.status == 422
    assert "めがね岩で待ってる" in sato.text
    assert office.rows("select count(*) from knowledge_proposal") == [(0,)]
    await proposes(sato, "rules: [")
    assert sato.status == 422


async def test_what_changes_is_shown_before_it_is_proposed(sato: Browser):
    await proposes(sato, act="try")
    assert "聞こえ方が変わる文 1 件" in sato.text


async def test_a_file_that_changed_meanwhile_is_not_overwritten(office: Office, sato: Browser, tanaka: Browser):
    await proposes(sato)
    one = f"/desk/proposals/{way_to_proposal(sato)}"
    (office.parts.knowledge.folder / "danger.yaml").write_text(DANGER + "# ほかの人\n", encoding="utf-8")
    await tanaka.opens(one)
    await tanaka.posts(one, act="publish")
    assert tanaka.status == 409
    assert on_disk(office).endswith("# ほかの人\n")


async def test_a_town_without_its_own_list_reads_the_countrys_and_may_lay_its_own_over_it(office: Office, sato: Browser):
    (office.parts.knowledge.folder / "danger.yaml").unlink()
    await sato.opens("/desk/danger-words")
    assert "全国の一覧をそのまま使っています" in sato.text
    assert "自殺のおそれ" in sato.text, "the files are named in the language of the desk"
    await sato.posts("/desk/danger-words", act="begin")
    assert "この町の一覧をつくる" not in sato.text
    assert "この町の言い方" in sato.text
    assert "自殺のおそれ" in sato.text, "the country's files are still read here"
    assert office.parts.knowledge.town.base.danger.scan("父が倒れて息をしていません").level == "L3", "and still heard"


async def test_the_countrys_files_may_be_read_but_not_changed_by_a_town(office: Office, sato: Browser):
    await sato.opens("/desk/danger-words?file=country/danger/suicide.yaml")
    assert "suicide-wish" in sato.page
    assert "だれかに見てもらう" not in sato.page
    mark = sato.field("mark", "/desk/danger-words")
    await sato.posts("/desk/danger-words", act="propose", file="country/danger/suicide.yaml", text="rules: []\n", mark=mark, why="消す")
    assert sato.status == 404
    assert office.rows("select count(*) from knowledge_proposal") == [(0,)]


async def test_an_entry_may_be_shown_to_somebody_first(office: Office, sato: Browser, a_browser: NewBrowser):
    editor = await joins(a_browser(), "編集の人", "henshuu", role="editor")
    await editor.opens("/desk/knowledge/kome-bank")
    mark = editor.field("mark", "/desk/knowledge/kome-bank")
    new = ENTRY.replace("無料で", "ただで")
    await editor.posts("/desk/knowledge/kome-bank", act="propose", door="yaml", text=new, mark=mark, why="やさしく")
    assert on_disk(office, "kome-bank.yaml") == ENTRY
    await sato.opens("/desk/proposals")
    await sato.opens(f"/desk/proposals/{way_to_proposal(sato)}")
    assert "答えが変わる文はありません" in sato.text
    await sato.posts(sato.path, act="publish")
    assert on_disk(office, "kome-bank.yaml") == new
    await sato.opens("/desk/knowledge/kome-bank")
    assert "書いた人：編集の人" in sato.text
