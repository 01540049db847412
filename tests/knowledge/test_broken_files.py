"""Files as people break them: each is answered with file, line, what is wrong and what to write, all mistakes at once (D15, R50).

One sound entry, broken in one place a time. A row: what stands there, what somebody typed instead, the line, the code, words of the answer.
"""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import lint
from knowledge.base import load
from knowledge.problem import Problem, errors, render

TODAY = date(2026, 11, 26)
SOUND = """\
id: ibasho
name: まちの居場所
kana: まちのいばしょ
domain: sanka
kind: place
topics: [T09]
summary: だれでも来られる場所です。
keywords: [居場所, お茶]
examples:
  - 昼に居る所がない
  - 話し相手がほしい
who: {age: null, household: null, area: null, note: どなたでも}
how: 申し込みはいりません。
cost: 無料
contacts:
  - name: 会館
    tel: "0120-000-000"
    area: [上町]
    hours:
      - {days: 月-金, from: "9:00", to: "17:00"}
    closed: [祝日, 年末年始]
events:
  - {title: ごはん, every: 第2木, from: "11:30", to: "13:00", place: 集会所}
checked: {on: 2026-10-01, by: 福祉課}
"""
TEL = '"0120-000-000"'
LISTED = "  - 昼に居る所がない\n  - 話し相手がほしい\n"
ROW = '- {days: 月-金, from: "9:00", to: "17:00"}'

BROKEN = [
    # letters and signs
    ("name: まち", "name：まち", 2, "wide_colon", "半角の「: 」"),
    ("  - name: 会館", "  - name：会館", 16, "wide_colon", "半角の「: 」"),
    ("{days: 月-金, from: ", "{days： 月-金, from： ", 20, "wide_colon", "半角の「days: 月-金」"),
    ("note: どなたでも", "note： どなたでも", 12, "wide_colon", "半角の「note: どなたでも」"),
    (TEL, '"０１２０-０００-０００"', 17, "full_width_digits", "0120-000-000"),
    (TEL, "0120－000－000", 17, "full_width_digits", "0120-000-000"),
    (TEL, "0120ー000ー000", 17, "full_width_digits", "0120-000-000"),
    (TEL, "“0120-000-000”", 17, "full_width_digits", "0120-000-000"),
    (TEL, '0120-000-000"', 17, "full_width_digits", "0120-000-000"),
    (TEL, '"0120-\u200b000-000"', 17, "control_letter", "消してください"),
    ("cost:", "\u200bcost:", 14, "control_letter", "消してください"),
    ("cost:", "\ufeffcost:", 14, "control_letter", "消してください"),
    ("無料", "無\x08料", 14, "control_letter", "消してください"),
    ("無料", "無\ufffd", 14, "garbled", "打ちなおして"),
    ("無料", "%引き", 14, "strange_start", '"%引き"'),
    ("会館", "@会館", 16, "strange_start", '"@会館"'),
    ("話し相手", "*話し相手", 11, "strange_start", '"*話し相手がほしい"'),
    ("話し相手", "!話し相手", 11, "strange_start", '"!話し相手がほしい"'),
    ("話し相手", "&話し相手", 11, "strange_start", '"&話し相手がほしい"'),
    ("申し込み", "|申し込み", 13, "strange_start", '"|申し込み'),
    ("申し込み", ">申し込み", 13, "strange_start", '">申し込み'),
    ("申し込み", "? 申し込み", 13, "strange_start", '"? 申し込み'),
    ("申し込み", "[重要] 申し込み", 13, "strange_start", '"[重要] 申し込み'),
    ("申し込み", "{重要} 申し込み", 13, "strange_start", '"{重要} 申し込み'),
    ("申し込み", "注意: 申し込み", 13, "colon_in_value", '"注意: 申し込み'),
    ("話し相手", "相談: 話し相手", 11, "colon_in_value", '"相談: 話し相手'),
    (TEL, "#8008", 17, "empty_before_hash", '"#8008"'),
    ("days: 月-金", "days: #月", 20, "empty_before_hash", '"#月"'),
    (TEL, '"0120-000-000', 17, "open_quote", "行の終わり"),
    ("cost: 無料", '"cost: 無料', 14, "open_quote", "消してください"),
    ("[居場所, お茶]", "[居場所, お茶", 8, "open_bracket", "]"),
    ("note: どなたでも}", "note: どなたでも", 12, "open_bracket", "}"),
    ("[居場所, お茶]", "［居場所、お茶］", 8, "list", "[居場所, お茶]"),
    ("[居場所, お茶]", "[居場所,, お茶]", 8, "double_comma", "一つに"),
    ("[居場所, お茶]", "居場所, お茶", 8, "list", "[居場所, お茶]"),
    # the form of a line
    ("    tel:", "\ttel:", 17, "tab", "半角の空白 2 つ"),
    ("  - {title", "\t- {title", 23, "tab", "半角の空白 2 つ"),
    ("    tel:", "　　tel:", 17, "wide_indent", "半角の空白 2 つ"),
    ("    tel:", "\xa0\xa0\xa0\xa0tel:", 17, "wide_indent", "半角の空白 2 つ"),
    ("    tel:", "   tel:", 17, "indent", "16 行目"),
    ("    tel:", "      tel:", 17, "indent", "16 行目"),
    ("  - 話し相手", " - 話し相手", 11, "indent", "10 行目"),
    ("  - 話し相手", "    - 話し相手", 11, "folded", "そろえて"),
    ("cost: ", "cost:", 14, "no_space_after_colon", "半角の空白"),
    ("cost: ", "cost:　", 14, "wide_space", "半角の空白"),
    ("cost: ", "cost:\xa0", 14, "wide_space", "半角の空白"),
    ("cost: ", "cost; ", 14, "no_colon", "cost: 無料"),
    ("cost: ", "cost = ", 14, "no_colon", "cost: 無料"),
    ("cost: ", "cost ", 14, "no_colon", "cost: 無料"),
    ("cost: ", "cost:\n", 15, "no_colon", "上の行"),
    ("  - 話し", "  -話し", 11, "no_space_after_dash", "「- 」"),
    ("  - 昼", "  -昼", 10, "list", "半角の空白"),
    ("  - 話し", "  － 話し", 11, "wide_dash", "「- 」"),
    (LISTED, "  ・昼に居る所がない\n  ・話し相手がほしい\n", 10, "list", "「- 」"),
    (LISTED, "  昼に居る所がない\n", 10, "list", "「- 」"),
    ("cost: 無料\n", "cost: 無料\ncost: 100円\n", 15, "duplicate_key", "どちらか一つ"),
    ("cost: 無料\n", "<<<<<<< HEAD\ncost: 無料\n=======\ncost: 100円\n>>>>>>> b\n", 14, "merge_conflict", "正しいほうだけ"),
    ("cost: 無料\n", "cost: 無料\n=======\n", 15, "merge_conflict", "正しいほうだけ"),
    ("cost: 無料\n", "---\ncost: 無料\n", 14, "second_document", "「- id: …」"),
    ("  - 話し相手がほしい", "  - &x 話し相手\n  - *x", 12, "anchor", '"'),
    ("[居場所, お茶]", "[[[[[[[[[[[[[[居場所]]]]]]]]]]]]]]", 8, "too_deep", "浅く"),
    # names of fields
    ("cost:", "costs:", 14, "unknown_field", "もしかして「cost」"),
    ("cost:", "費用:", 14, "unknown_field", "もしかして「cost」"),
    ("cost:", "ｃｏｓｔ:", 14, "unknown_field", "もしかして「cost」"),
    ("cost:", "Cost:", 14, "unknown_field", "もしかして「cost」"),
    ("cost: 無料", "costs:", 14, "unknown_field", "もしかして「cost」"),
    ("    tel:", "    telephone:", 17, "unknown_field", "もしかして「tel」"),
    ("    hours:", "    hour:", 19, "unknown_field", "もしかして「hours」"),
    ("cost: 無料", "<<: {cost: 無料}", 14, "unknown_field", "使える項目"),
    ("cost: 無料\n", "cost: 無料\ntranslations: {eng: {name: a, summary: b}}\n", 15, "unknown_field", "次から選んで"),
    ("name: まちの居場所\n", "", 1, "missing", "name: …"),
    ("name: まちの居場所", "name:", 2, "empty", "言葉を"),
    ("name: まちの居場所", 'name: ""', 2, "empty", "null"),
    ("summary: だれでも来られる場所です。\n", "", 1, "missing", "summary: …"),
    ("id: ibasho\n", "", 1, "missing", "id: food-bank"),
    ("id: ibasho", "id: Ibasho Place", 1, "id", "半角の英小文字"),
    # values
    (TEL, "312345678", 17, "tel", "0312345678"),
    (TEL, "なし", 17, "tel", "null"),
    (TEL, '""', 17, "tel", "null"),
    (TEL, "0120 000 000", 17, "tel", "0120-000-000"),
    (TEL, "0120-000-000（内線12）", 17, "tel", "name に"),
    (TEL, "0120-000-000、0120-111-111", 17, "tel", "もう一つ"),
    (TEL, "12:30", 17, "tel", "市外局番"),
    (TEL, "[0120-000-000]", 17, "shape", "一つだけ"),
    ("kind: place", "kind: plase", 5, "word", "もしかして「place」"),
    ("kind: place", "kind: 場所", 5, "word", "もしかして「place」"),
    ("[T09]", "[T17]", 6, "word", "T16"),
    ("[T09]", "T09", 6, "list", "[T09]"),
    ("cost: 無料", "tags: [tonigth]", 14, "word", "もしかして「tonight」"),
    ("cost: 無料", "hidden: no", 14, "truth", "「false」"),
    ('to: "17:00"', 'to: "25:00"', 20, "clock", "17:15"),
    ('to: "17:00"', 'to: "17:60"', 20, "clock", "17:15"),
    ('from: "9:00"', "from: 9", 20, "clock", "9:00"),
    ('from: "9:00"', "from: ９：００", 20, "full_width_digits", "「9:00」"),
    ('from: "9:00", to: "17:00"', 'from: "17:00", to: "9:00"', 20, "hours_order", "翌9:00"),
    ('from: "11:30", to: "13:00"', 'from: "13:00", to: "11:30"', 23, "hours_order", "翌11:30"),
    (ROW, "- 月-金 9:00-17:00", 20, "shape", 'from: "9:00"'),
    (f"\n      {ROW}", " 月-金 9時から5時", 19, "list", 'from: "9:00"'),
    ("月-金", "げつ-きん", 20, "days", "平日"),
    ("月-金", "隔週火", 20, "days", "第1・3火"),
    ("年末年始]", "お盆]", 21, "days", "8/13-8/16"),
    ("{days: 月-金, from", "{from", 20, "missing", "days: …"),
    ("every: 第2木", "on: 2026-02-30", 23, "no_such_day", "暦"),
    ("every: 第2木", "on: 2026/12/1", 23, "date", "2026-12-01"),
    ("every: 第2木", "on: 令和8年12月1日", 23, "date", "2026-12-01"),
    ("every: 第2木, ", "", 23, "event_day", "every: 毎週火"),
    ("every: 第2木", "every: 第2木, on: 2026-12-01", 23, "event_day", "every: 毎週火"),
    ("{on: 2026-10-01, by: 福祉課}", "2026-10-01", 24, "shape", "{on: 2026-10-01"),
    ("2026-10-01", "26-10-01", 24, "date", "2026-10-01"),
    ("cost: 無料", "valid: {from: 2027-01-01, until: 2026-12-01}", 14, "valid_order", "until"),
    ("  - name: 会館\n    tel", "  - tel", 16, "contact_name", "name: 福祉課"),
    ("  - name: 会館", "  - hotline: yorisoii\n  - name: 会館", 16, "unknown_hotline", "もしかして「yorisoi」"),
    ("    area:", "    url: www.example.jp\n    area:", 18, "url", "https://"),
    ("    area:", "    mail: fukushi＠example.jp\n    area:", 18, "mail", "半角"),
    ("    area:", "    place: {lat: ３５.６, lon: 139.7}\n    area:", 18, "degrees", "35.6586"),
    ("cost: 無料", "not_for: [昼に居る所がない]", 14, "example_and_not_for", "どちらか"),
    ("  - 話し相手がほしい", "  - ", 11, "empty", "言葉を"),
]

DOUBTFUL = [
    ("every: 第2木", "on: 2026-05-01", 23, "past_event", "次の日"),
    ("2026-10-01", "2026-05-01", 24, "checked_ago", "確かめて"),
    ("2026-10-01", "2024-10-01", 24, "checked_long_ago", "先に電話で"),
    ("2026-10-01", "2027-10-01", 24, "checked_ahead", "確かめた日"),
    ("domain: sanka", "domain: sankaa", 4, "unknown_domain", "もしかして「sanka」"),
    ("[上町]", "[上丁]", 18, "unknown_area", "上町, 下町"),
    ("[居場所, お茶]", "[居場所、お茶]", 8, "wide_comma", "[居場所, お茶]"),
    (TEL, "0312345678", 17, "no_hyphen", "「-」で区切る"),
    ("    area:", "    place: {lat: 35.6, lon: 35.6}\n    area:", 18, "outside_japan", "逆"),
    ("cost: 無料", "cost: 無料 #1", 14, "lost_after_hash", '"'),
    ("  - 話し相手がほしい", "  - 昼に居る所がない", 11, "same_example", "一つだけ"),
]

WHOLE_FILES = [
    ("", "empty_file", "消して"),
    ("# なにもない\n", "empty_file", "消して"),
    ("ただの文です\n", "shape", "id: food-bank"),
    ("id,name,summary\nx,y,z\n", "shape", "id: food-bank"),
    ("<html><body>x</body></html>\n", "no_text", "写して"),
    ("- a\n- b\n", "shape", "id: food-bank"),
    ("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: &d [*c,*c]\n", "anchor", '"'),
    (b"\x89PNG\r\n\x1a\n\x00\x00", "no_text", "YAML"),
    (b"PK\x03\x04xl/workbook", "no_text", "knowledge import"),
    (b"\xd0\xcf\x11\xe0", "no_text", ".xlsx"),
    ("name: 会館\nid: x\n".encode("utf-16"), "not_utf8", "UTF-8"),
    (SOUND.encode("cp932"), "not_utf8", "UTF-8"),
    (SOUND.encode("euc_jp"), "not_utf8", "UTF-8"),
    ("id: x\nname: y\nsummary: " + "あ" * 1_000_000, "too_large", "分けて"),
    (b"\xff\xff\xfe\x00\x81", "not_utf8", "UTF-8"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "town.yaml").write_text("name: 山野町\nextends: starter\nareas: [上町, 下町]\n", encoding="utf-8")
    return tmp_path


def told(folder: Path, text: str | bytes) -> list[Problem]:
    file = folder / "ibasho.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return lint.check(folder, today=TODAY)


def broken(was: str, typed: str) -> str:
    assert was in SOUND
    return SOUND.replace(was, typed, 1)


def test_the_sound_entry_is_sound(folder: Path) -> None:
    assert told(folder, SOUND) == []


@pytest.mark.parametrize(("was", "typed", "line", "code", "answer"), BROKEN, ids=[f"{row[3]}-{row[1][:20]!r}" for row in BROKEN])
def test_a_mistake_is_an_error_at_its_line_with_what_to_write(folder: Path, was: str, typed: str, line: int, code: str, answer: str) -> None:
    found = errors(told(folder, broken(was, typed)))
    here = [problem for problem in found if (problem.line, problem.code) == (line, code)]
    assert here, [(problem.line, problem.code, problem.message) for problem in found]
    assert answer in here[0].hint
    assert render(here[0]).startswith(f"{folder / 'ibasho.yaml'}:{line}:")
    assert len(found) <= 3, "one slip, one answer: the rest would be noise"


@pytest.mark.parametrize(("was", "typed", "line", "code", "answer"), DOUBTFUL, ids=[row[3] for row in DOUBTFUL])
def test_what_is_doubtful_is_advice_and_the_file_is_used(folder: Path, was: str, typed: str, line: int, code: str, answer: str) -> None:
    found = told(folder, broken(was, typed))
    assert [(problem.level, problem.line, problem.code) for problem in found] == [("warning", line, code)]
    assert answer in found[0].hint + found[0].message


@pytest.mark.parametrize(("content", "code", "answer"), WHOLE_FILES, ids=[f"{row[1]}-{row[0][:12]!r}" for row in WHOLE_FILES])
def test_a_file_that_is_something_else_is_named(folder: Path, content: str | bytes, code: str, answer: str) -> None:
    found = [problem for problem in told(folder, content) if problem.code == code]
    assert found
    assert answer in found[0].hint


def test_all_mistakes_of_one_file_are_told_at_once(folder: Path) -> None:
    text = SOUND
    for was, typed in (
        ("name: まち", "name：まち"), ("cost:", "costs:"), (TEL, "#8008"), ('to: "17:00"', 'to: "25:00"'), ("[T09]", "[T17]"),
        ("2026-10-01", "2026/10/1"), ("    area:", "\tarea:"), ("kind: place", "kind: plase"),
    ):  # fmt: skip
        text = text.replace(was, typed, 1)
    lines = {problem.line for problem in errors(told(folder, text))}
    assert lines == {2, 5, 6, 14, 17, 18, 20, 24}


def test_of_very_many_broken_lines_the_first_are_told_and_that_there_are_more(folder: Path) -> None:
    found = errors(told(folder, "id: ibasho\nname: 会\nsummary: 会です。\n" + "".join(f"ことば{number}：値\n" for number in range(40))))
    assert [problem.line for problem in found if problem.code == "wide_colon"] == list(range(4, 24))
    [more] = [problem for problem in found if problem.code == "more"]
    assert more.line > 23
    assert more.message == "ここから下にも、読めない行があります"


def test_a_line_nobody_can_read_does_not_hide_the_mistakes_below_it(folder: Path) -> None:
    text = SOUND.replace("cost: 無料", "ねだん 無料").replace('to: "17:00"', 'to: "25:00"')
    assert {problem.line for problem in errors(told(folder, text))} == {14, 20}


def test_a_file_of_windows_is_read_and_mentioned_once_for_the_folder(folder: Path) -> None:
    other = SOUND.replace("ibasho", "b").replace("まちの居場所", "べつ").replace(LISTED, "  - べつの文\n")
    (folder / "b.yaml").write_bytes(other.replace("\n", "\r\n").encode())
    found = told(folder, "\ufeff" + SOUND.replace("\n", "\r\n"))
    assert [(problem.level, problem.code) for problem in found if problem.code in ("bom", "crlf")] == [("warning", "crlf"), ("warning", "bom")]
    assert load(folder).entries["ibasho"].contacts[0].tel == "0120-000-000"


def test_a_file_with_a_strange_ending_is_not_passed_over_in_silence(folder: Path) -> None:
    (folder / "food-bank.yaml.txt").write_text(SOUND, encoding="utf-8")
    assert [problem.code for problem in told(folder, SOUND)] == ["file_ending"]


def test_two_files_with_one_id_point_at_each_other(folder: Path) -> None:
    (folder / "zz.yaml").write_text(SOUND, encoding="utf-8")
    [found] = errors(told(folder, SOUND))
    assert (found.code, Path(found.file).name) == ("duplicate_id", "zz.yaml")
    assert "ibasho.yaml の 1 行目" in found.hint


SLIPS = st.sampled_from([*"：\t　 #\"'[]{}-:&*!\n０、\u200b|>", "- ", ": ", "\n\n", "======="])


@pytest.fixture(scope="module")
def kept_danger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter's dangers, read once for all."""
    return tmp_path_factory.mktemp("kept")


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SOUND)), st.integers(0, 12), SLIPS), min_size=1, max_size=4))
def test_whatever_slips_in_is_answered_and_what_is_called_good_can_be_used(
    tmp_path_factory: pytest.TempPathFactory, kept_danger: Path, slips: list[tuple[int, int, str]]
) -> None:
    text = SOUND
    for at, gone, typed in slips:
        text = text[:at] + typed + text[at + gone :]
    folder = tmp_path_factory.mktemp("town")
    (folder / "town.yaml").write_text("name: 山野町\nareas: [上町]\n", encoding="utf-8")
    found = told(folder, text)
    for problem in found:
        assert render(problem)
        assert problem.line >= 1
    if errors(found):
        return
    load(folder, kept_danger)
