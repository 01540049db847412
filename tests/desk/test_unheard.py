"""聞きとれなかった声: what was not heard well becomes an example, an entry, a counted gap or nothing, never a copy of somebody's words (D15c)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session
from typer.testing import CliRunner

from bot import app as apps
from bot.knowledge_verbs import app as knowledge_app
from bot.living import LivingKnowledge
from storage import gaps, records
from storage import talk as talks
from storage.store import Store
from tests.conftest import Database
from tests.desk.conftest import Browser, Office, joins

NewBrowser = Callable[..., Browser]

ENTRY = """id: kome-bank
name: こめバンク（見本）
domain: okane
summary: 食べるものに困っている人に、無料で食品をわたします。
examples: [冷蔵庫がからっぽです]   # 社協と決めた
"""
SAID = "夫の転勤で春から来たばかりで、知り合いが一人もいません"
OWN = "引っこしてきて、話せる人がだれもいない"


@pytest.fixture
def knowledge(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> LivingKnowledge:
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "kome-bank.yaml").write_text(ENTRY, encoding="utf-8")
    return LivingKnowledge(folder, tmp_path_factory.getbasetemp() / "kept-unheard")


def was_not_heard(office: Office, said: str = SAID, *, who: str = "U1", kind: str = "wrong", hidden: bool = False, **detail: object) -> str:
    now = office.clock.now()

    def work(rows: Session) -> str:
        talk = talks.find_or_open(rows, "line", who, now)
        talk, _ = talks.add_line(rows, talk, author="resident", kind="text", body=json.dumps({"text": said}), now=now)
        talks.save(rows, replace(talk, hidden_address=hidden), now)
        records.note_outcome(rows, talk, kind=kind, detail={"cards": ["kome-bank"], **detail}, now=now)
        return str(rows.connection().exec_driver_sql("select id from outcome order by at desc, id desc").scalar())

    return office.store.transact(work)


async def turns(browser: Browser, outcome: str, what: str, **more: str) -> None:
    await browser.opens("/desk/unheard")
    await browser.posts(f"/desk/unheard/{outcome}", what=what, **more)


def file_of(office: Office) -> str:
    return (office.parts.knowledge.folder / "kome-bank.yaml").read_text(encoding="utf-8")


async def test_a_worry_called_wrong_becomes_an_example_in_our_own_words_and_leaves_the_list(office: Office, sato: Browser):
    outcome = was_not_heard(office)
    await sato.opens("/desk/unheard")
    assert SAID in sato.text
    assert "「ちがう」と言われた" in sato.text
    assert "こめバンク（見本）" in sato.text
    await turns(sato, outcome, "example", words=OWN, entry="こめバンク（見本）")
    assert sato.status == 303
    assert file_of(office) == ENTRY.replace("[冷蔵庫がからっぽです]", f"[冷蔵庫がからっぽです, {OWN}]")
    assert OWN in office.parts.knowledge.town.base.entries["kome-bank"].examples
    assert SAID not in sato.text
    await sato.opens("/desk/knowledge/kome-bank")
    assert "聞きとれなかった声から" in sato.text


@pytest.mark.parametrize(
    "copy", [SAID, "夫の転勤で春から来たばかりで友達がいない", f"  {SAID}。", SAID.replace("来た", "　きた")]
)
async def test_a_sentence_copied_from_a_resident_is_refused_with_the_letters_counted_and_nothing_is_kept(office: Office, sato: Browser, copy: str):
    outcome = was_not_heard(office)
    await turns(sato, outcome, "example", words=copy, entry="kome-bank")
    assert sato.status == 422
    assert "文字同じです。言いかえてください。" in sato.text
    assert file_of(office) == ENTRY
    await sato.opens("/desk/unheard")
    assert SAID in sato.text


@pytest.mark.parametrize("words", ["090-1234-5678 に電話がほしい", "みどり荘203号室で一人ぼっち", "kodoku@example.jp へ返事がほしい"])
async def test_words_that_name_somebody_are_refused(office: Office, sato: Browser, words: str):
    outcome = was_not_heard(office)
    await turns(sato, outcome, "example", words=words, entry="kome-bank")
    assert sato.status == 422
    assert "分かってしまいます" in sato.text


async def test_what_no_entry_fits_becomes_a_new_entry_that_is_live_at_once(office: Office, sato: Browser):
    outcome = was_not_heard(office, kind="match", cards=[], decision="gap")
    await sato.opens("/desk/unheard")
    assert "合うものがなかった" in sato.text
    await turns(sato, outcome, "entry", words=OWN, name="引っこした人の会（見本）", summary="引っこしてきた人が集まります。", domain="sanka")
    made = [one for one in office.parts.knowledge.town.base.entries.values() if one.name == "引っこした人の会（見本）"]
    assert [(one.examples, one.domain) for one in made] == [((OWN,), "sanka")]


async def test_what_takes_a_sentence_from_another_entry_is_shown_before_it_is_learned(office: Office, sato: Browser):
    outcome = was_not_heard(office, kind="match", cards=[], decision="gap")
    more = {"words": "冷蔵庫がからっぽなのです", "name": "冷蔵庫の会（見本）", "summary": "冷蔵庫がからっぽな人の会です。", "domain": "okane"}
    await turns(sato, outcome, "entry", **more)
    assert sato.status == 409
    assert "まだ何も変えていません" in sato.text
    assert "冷蔵庫がからっぽです" in sato.text
    assert len(office.parts.knowledge.town.base.entries) == 1
    assert {row[0] for row in office.rows("select learned from outcome")} == {None}

    await sato.posts(f"/desk/unheard/{outcome}", what="entry", **more, shown=sato.field("shown"))
    assert sato.status == 303
    assert len(office.parts.knowledge.town.base.entries) == 2


async def test_what_nothing_can_meet_is_counted_as_a_gap_without_the_person(office: Office, sato: Browser):
    outcome = was_not_heard(office, kind="match", cards=[], decision="gap")
    await turns(sato, outcome, "gap", words=OWN, reason="none_exists", domain="sanka")
    found = office.store.transact(gaps.found)
    assert [(one.wish, one.domain, one.source, one.reasons) for one in found] == [(OWN, "sanka", "desk", ("none_exists",))]
    assert office.rows("select case_id from gap") == [(None,)]


async def test_one_act_settles_everything_the_same_talk_had_before_it(office: Office, sato: Browser):
    was_not_heard(office)
    office.clock.moves(minutes=5)
    newest = was_not_heard(office, "それではなくて、話し相手がほしいのです", kind="match", cards=[], decision="unclear")
    await sato.opens("/desk/unheard")
    assert sato.page.count("<blockquote") == 1
    await turns(sato, newest, "nothing")
    assert "いま、見なおす声はありません" in sato.text
    assert {row[0] for row in office.rows("select learned from outcome")} == {"nothing"}


async def test_people_who_hide_and_cases_behind_a_restriction_are_never_in_the_list(office: Office, sato: Browser):
    was_not_heard(office, who="U7", hidden=True)
    office.has_case("かくしたいことがあります", who="U8", restricted=True)
    was_not_heard(office, "これもかくしたい", who="U8")
    await sato.opens("/desk/unheard")
    assert "いま、見なおす声はありません" in sato.text


async def test_old_worries_leave_the_list_and_right_answers_never_enter_it(office: Office, sato: Browser):
    was_not_heard(office, who="U1")
    was_not_heard(office, "これは合っていました", who="U2", kind="match", decision="answer")
    await sato.opens("/desk/unheard")
    assert "これは合っていました" not in sato.text
    office.clock.moves(days=29)
    sato = await joins(Browser(office), "鈴木", "suzuki")
    await sato.opens("/desk/unheard")
    assert "いま、見なおす声はありません" in sato.text
    await sato.http.aclose()


async def test_an_editor_who_reads_no_cases_reads_no_worries_either(office: Office, a_browser: NewBrowser):
    outcome = was_not_heard(office)
    editor = await joins(a_browser(), "編集の人", "henshuu", role="editor")
    await editor.opens("/desk/unheard")
    assert editor.status == 404
    await editor.opens("/desk/knowledge")
    assert "聞きとれなかった声" not in editor.text
    await editor.posts(f"/desk/unheard/{outcome}", what="nothing")
    assert editor.status == 404


async def test_reading_the_list_is_in_the_audit(office: Office, sato: Browser):
    was_not_heard(office)
    await sato.opens("/desk/unheard")
    assert office.rows("select count(*) from audit where act = 'unheard.read'") == [(1,)]


async def test_the_answer_itself_is_no_worry(office: Office, sato: Browser):
    office.resident_says(SAID)
    was_not_heard(office, "ちがう")
    await sato.opens("/desk/unheard")
    assert f"<p>{SAID}</p>" in sato.page
    assert "<p>ちがう</p>" not in sato.page


async def test_what_a_resident_erased_is_gone_from_the_list(office: Office, sato: Browser):
    was_not_heard(office)
    office.store.transact(lambda rows: rows.connection().exec_driver_sql("update message set body_sealed = null").rowcount)
    await sato.opens("/desk/unheard")
    assert "いま、見なおす声はありません" in sato.text


def test_the_command_prints_the_same_list_without_a_word_of_the_resident(office: Office, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch):
    was_not_heard(office, kind="match", cards=["kome-bank"], decision="gap")
    office.store.transact(lambda rows: gaps.note(rows, reasons=("full",), domain=None, source="desk", now=datetime.now(UTC), wish="夜の居場所"))
    monkeypatch.setattr(apps, "open_store", lambda settings, exclusive: Store.open(sqlite_database.url, office.store.keyring, exclusive=False))
    printed = CliRunner().invoke(knowledge_app, ["gaps", "--days", "3660"])
    assert printed.exit_code == 0
    assert "聞きとれなかった声: 1 件" in printed.output
    assert "kome-bank" in printed.output
    assert "いっぱい・空きがない: 1 件" in printed.output
    assert "夜の居場所" in printed.output
    assert SAID not in printed.output
