"""Tables as cities publish them come in, the good rows at least, and come in twice without a change."""

from pathlib import Path

import pytest

from knowledge.entry import Entry
from knowledge.exchange.csv_rows import NoTable
from knowledge.exchange.opendata import DATASETS, export_csv, import_csv
from knowledge.exchange.plan import plan
from knowledge.layers import lay
from knowledge.reading import Tree

OLD = (
    "都道府県コード又は市区町村コード,NO,都道府県名,市区町村名,名称,名称_カナ,名称_通称,POIコード,住所,方書,緯度,経度,電話番号,内線番号,法人番号,団体名,"
    "利用可能曜日,開始時間,終了時間,利用可能日時特記事項,説明,バリアフリー情報,URL,備考\r\n"
    "999999,1,見本県,見本市,見本公民館,ミホンコウミンカン,,1305,見本県見本市中央1-1,2階,35.1,139.1,(099)999-9999,12,,見本市,月火水木金,09:00,17:00,"
    "祝日休み,だれでも使える公民館です。,,https://www.example.jp/a,\r\n"
    "999999,2,見本県,見本市,,,,,,,,,,,,,,,,,,,,\r\n"
    "999999,3,見本県,見本市,見本図書館,ミホントショカン,,,見本県見本市東1,,0,0,なし,,,,月-日・祝,9時,20時,,本を読めます。,,,\r\n"
    "999999,1,見本県,見本市,同じ番号の館,,,,,,,,,,,,,,,,,,,\r\n"
)
NEW = (
    "全国地方公共団体コード,ID,地方公共団体名,名称,名称_カナ,名称_英字,種別,所在地_全国地方公共団体コード,町字ID,所在地_連結標記,所在地_都道府県,所在地_市区町村,"
    "所在地_町字,所在地_番地以下,建物名等（方書）,緯度,経度,電話番号,FAX番号,メールアドレス,収容定員,受入年齢,利用可能曜日,開始時間,終了時間,一時預かりの有無\n"
    "999999,K01,見本市,見本ほいくえん,ミホンホイクエン,Mihon Nursery,保育所,,,,見本県,見本市,西町,2-3,,35.2,139.2,0999999999,,hoiku@example.jp,60,"
    "0歳から,月火水木金土,7:00,19:00,有\n"
)
CARE = (
    "都道府県コード又は市区町村コード,NO,介護サービス事業所名称,介護サービス事業所名称_カナ,実施サービス,住所,電話番号,法人の名称,"
    "事業所番号,利用可能曜日,定員\n"
    "999999,7,見本デイサービス,ミホンデイサービス,通所介護;短期入所,見本市南1,099-999-9998,社会福祉法人見本会,9999000001,月火水木金,30\n"
)
EVENTS = (
    "都道府県コード又は市区町村コード,NO,イベント名,開始日,終了日,開始時間,終了時間,説明,料金（基本）,"
    "連絡先名称,連絡先電話番号,場所名称,住所,定員\n"
    "999999,5,茶話会,2026/12/3,2026/12/3,10:00,11:30,お茶を飲みながら話せます。,無料,"
    "地域福祉課,099-999-9997,見本会館,見本市中央2,20名\n"
)
BENEFITS = (
    "制度番号,タイトル（制度名）,サブタイトル（通称）,対象者,概要,内容,利用・申請方法,"
    "受付開始日,受付終了日,根拠法令,詳細参照先,実施組織・支援機関,お問い合わせ先,キーワード\n"
    "S-01,見本家賃補助,やちん補助,市内の世帯,家賃の一部を補助します。,くわしい内容,窓口で申請,"
    "2026-04-01,2027-03-31,見本条例,https://www.example.jp/b,見本市,住宅課,家賃;住まい\n"
)


def one(content: bytes) -> Entry:
    taken = import_csv(content)
    [fields] = taken.entries.values()
    return Entry.model_validate(fields)


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_good_rows_come_in_and_bad_ones_are_named_by_row_and_reason(code: str) -> None:
    taken = import_csv(OLD.encode(code))
    assert taken.kind == "公共施設一覧"
    assert list(taken.entries) == ["shisetsu-1", "shisetsu-3"]
    assert [(bad.row, bad.reason.split("（")[0]) for bad in taken.bad] == [
        (3, "名前のマスが空です。名前を書くと、取りこめます"), (5, "2 行目と同じ ID"),
    ]  # fmt: skip
    hall = Entry.model_validate(taken.entries["shisetsu-1"])
    contact = hall.contacts[0]
    assert (hall.name, hall.kana, hall.summary) == ("見本公民館", "みほんこうみんかん", "だれでも使える公民館です。")
    assert (contact.tel, contact.name, contact.place.address) == ("099-999-9999", "見本公民館（内線 12）", "見本県見本市中央1-1 2階")
    assert [(row.days, row.from_, row.to) for row in contact.hours] == [("月-金", "9:00", "17:00")]


def test_what_cannot_be_read_of_a_good_row_is_left_out_and_told() -> None:
    taken = import_csv(OLD.encode())
    library = Entry.model_validate(taken.entries["shisetsu-3"])
    assert library.contacts[0].tel is None
    assert library.contacts[0].place.lat is None, "0,0 is no place in Japan"
    assert [(note.row, note.name) for note in taken.notes] == [(4, "見本図書館")]
    assert "なし" in taken.notes[0].reason


def test_the_new_form_with_its_parted_address_is_read() -> None:
    nursery = one(NEW.encode("cp932"))
    assert (nursery.id, nursery.domain, nursery.who.age) == ("kosodate-k01", "kosodate", "0歳から")
    assert nursery.contacts[0].place.address == "見本県見本市西町2-3"
    assert nursery.contacts[0].tel == "0999999999", "a number is shown as it was published"
    assert nursery.translations["en"].name == "Mihon Nursery"


def test_care_services_events_and_benefits_are_known_by_their_columns() -> None:
    care, event, benefit = one(CARE.encode()), one(EVENTS.encode()), one(BENEFITS.encode())
    assert (care.id, care.kind, care.keywords, care.provider) == ("kaigo-9999000001", "service", ("通所介護", "短期入所"), ("社会福祉法人見本会",))
    [tea] = event.events
    assert (str(tea.on), tea.from_, tea.to, tea.place, tea.capacity, event.cost) == ("2026-12-03", "10:00", "11:30", "見本会館", "20名", "無料")
    assert (benefit.id, benefit.who.note, benefit.how, benefit.law) == ("seido-s-01", "市内の世帯", "窓口で申請", "見本条例")
    assert (str(benefit.valid.from_), str(benefit.valid.until), benefit.keywords) == ("2026-04-01", "2027-03-31", ("家賃", "住まい", "やちん補助"))


@pytest.mark.parametrize(
    "header",
    ["ＮＯ,名　称,電話番号,利用可能曜日", "no,名称,電話 番号,利用可能曜日", "NO,名称 ,TEL,利用可能曜日",
     "市の施設の一覧,,,\nNO,名称,電話番号,利用可能曜日"],
)  # fmt: skip
def test_small_differences_in_a_header_do_not_matter(header: str) -> None:
    hall = one(f"{header}\n1,会館,099-999-9999,\n".encode())
    assert (hall.name, hall.contacts[0].tel) == ("会館", "099-999-9999")


@pytest.mark.parametrize(("content", "words"), [(b"", "何も"), (b"a,b\n1,2\n", "見出し"), (b"\xff\xff\x81", "文字コード")])
def test_another_file_is_refused_with_a_reason(content: bytes, words: str) -> None:
    with pytest.raises(NoTable, match=words):
        import_csv(content)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.prefix)
@pytest.mark.parametrize("table", [OLD, NEW, CARE, EVENTS, BENEFITS], ids=["old", "new", "care", "events", "benefits"])
def test_what_goes_out_comes_in_again_as_the_same_entries(dataset: object, table: str) -> None:
    first = import_csv(table.encode())
    if getattr(dataset, "name", "") != first.kind:
        return
    again = import_csv(export_csv(list(first.entries.values()), first.kind), known_ids=first.entries.keys())
    assert {name: core(fields) for name, fields in again.entries.items()} == {name: core(fields) for name, fields in first.entries.items()}
    assert again.bad == ()


def core(fields: dict[str, Tree]) -> dict[str, Tree]:
    """Without what only some of the tables have columns for: hours kept in words are among it."""
    hours_in_words = str(fields.get("how")).startswith("利用できる日")
    return {name: value for name, value in fields.items() if name not in ("contacts", "keywords", *(["how"] if hours_in_words else []))}


def test_a_cell_that_a_spreadsheet_would_calculate_goes_out_as_text() -> None:
    assert b"'=1+1" in export_csv([{"id": "x", "name": "=1+1", "summary": "あ"}], "公共施設一覧")


WEEKDAYS = ("月-金", "9:00", "17:00")
EVERY_DAY = ("毎日", "9:00", "17:00")


def hall(**cells: str) -> tuple[Entry, list[str]]:
    """One row of a table of halls with these cells, and what was told about it."""
    row = {"ID": "1", "名称": "見本会館①", "電話番号": "０９９－９９９－９９９９", "説明": "髙い天井の会館です。", **cells}
    table = ",".join(row) + ",,\r\n" + ",".join(f'"{cell}"' for cell in row.values()) + ",,\r\n"
    taken = import_csv(table.encode("cp932"))
    [fields] = taken.entries.values()
    return Entry.model_validate(fields), [note.reason for note in taken.notes]


@pytest.mark.parametrize(
    ("cells", "rows", "closed"),
    [
        ({"利用可能日時特記事項": "月～金 9:00～17:00（祝日・年末年始を除く）"}, [WEEKDAYS], ["祝日・年末年始"]),
        ({"利用可能曜日": "月火水木金", "開始時間": "９：００", "終了時間": "17時", "利用可能日時特記事項": "祝日は休み"}, [WEEKDAYS], ["祝日"]),
        ({"開館時間": "9:00～17:00", "休館日": "月曜日、12月29日～1月3日"}, [EVERY_DAY], ["月", "12月29日~1月3日"]),
        ({"開館時間": "午前9時から午後5時まで", "休館日": "年末年始（12/29～1/3）"}, [EVERY_DAY], ["12/29~1/3"]),
        ({"利用時間": "月～金曜日 9:00～12:00、13:00～17:00"}, [("月-金", "9:00", "12:00"), ("月-金", "13:00", "17:00")], []),
        ({"利用可能曜日": "平日", "開始時間": "17:15", "終了時間": "8:30"}, [("平日", "17:15", "翌8:30")], []),
    ],
)
def test_hours_in_the_words_of_a_city_become_hours(cells: dict[str, str], rows: list[tuple[str, str, str]], closed: list[str]) -> None:
    contact = hall(**cells)[0].contacts[0]
    assert [(row.days, row.from_, row.to) for row in contact.hours] == rows
    assert list(contact.closed) == closed


@pytest.mark.parametrize(
    "cells",
    [
        {"利用可能曜日": "火水木金土日", "開始時間": "9:00", "終了時間": "17:00", "休館日": "月曜日（祝日の場合は翌日）"},
        {"利用可能曜日": "月火水木金", "開始時間": "9:00", "終了時間": "17:00", "利用可能日時特記事項": "8月は休み"},
        {"利用可能曜日": "月～金", "開始時間": "9:00", "終了時間": "5:00"},
        {"利用可能日時特記事項": "水曜を除く毎日 9:00～17:00"},
    ],
)
def test_hours_that_are_not_wholly_understood_stay_words_and_open_nothing(cells: dict[str, str]) -> None:
    entry, told = hall(**cells)
    assert entry.contacts[0].hours == entry.contacts[0].closed == ()
    for cell in cells.values():
        assert cell in str(entry.how), "nothing of what the city wrote is lost"
    assert any("言葉のまま" in reason for reason in told)


def test_a_title_above_and_remarks_below_the_table_are_no_entries_and_no_mistakes() -> None:
    table = "見本市 公共施設一覧（令和8年4月1日現在）,,\nID,名称,説明\n1,見本会館,会館です。\n,,\n※毎年4月に直します。,,\n"
    taken = import_csv(table.encode("cp932"))
    assert (list(taken.entries), taken.bad, [note.row for note in taken.notes]) == (["shisetsu-1"], (), [5])


CITY = (
    "見本市　公共施設一覧（令和８年４月１日現在）,,,,,,\n,,,,,,\n,施設情報,,,連絡先,利用時間,\n"
    "番号,施設名称,フリガナ,所在地（住所）,電話番号（代表）,開館時間,休館日\n"
    "１,中央会館,ﾁｭｳｵｳｶｲｶﾝ,見本市中央１丁目,０１２３－４５－６７８９,９：００～２１：００,月曜日・年末年始\n"
    '２,"中央\n会館",,見本市西２,0123(45)1111,8時30分～17時15分,土日祝日\n'
    ",,,,,,\n4,,,見本市北1,0123-45-2222,,\n計,3施設,,,,,\n（出典：見本市）,,,,,,\n"
)


def test_a_table_as_a_city_made_it_in_excel_comes_in_with_its_groups_above_and_its_sum_below() -> None:
    taken = import_csv(CITY.encode("cp932"))
    first, second = (Entry.model_validate(fields) for fields in taken.entries.values())
    assert (first.name, first.kana, first.contacts[0].tel, first.contacts[0].place.address) == (
        "中央会館", "ちゅうおうかいかん", "0123-45-6789", "見本市中央１丁目",
    )  # fmt: skip
    assert [(row.days, row.from_, row.to) for row in first.contacts[0].hours] == [("毎日", "9:00", "21:00")]
    assert (second.id, second.name, second.contacts[0].tel) == ("shisetsu-2", "中央 会館", "0123-45-1111")
    assert [(row.row, row.reason.partition("。")[0]) for row in taken.bad] == [(8, "名前のマスが空です")]
    assert [note.row for note in taken.notes] == [9, 10]


def test_a_header_of_two_rows_is_read_as_one() -> None:
    table = "名称,所在地,,,連絡先\n,都道府県,市区町村,町字,電話番号\n児童館,見本県,見本市,中央1,0123-45-1111\n"
    entry = one(table.encode())
    assert (entry.contacts[0].tel, entry.contacts[0].place.address) == ("0123-45-1111", "見本県見本市中央1")


def test_headings_in_a_citys_own_words_and_semicolons_between_cells_are_understood() -> None:
    entry = one("施設の名称;施設の所在地;お問い合わせ電話;ご利用時間;お休み\n児童館;中央1-1;0123-45-1111;10:00～17:00;日曜\n".encode())
    contact = entry.contacts[0]
    assert (entry.name, contact.tel, contact.place.address, contact.closed) == ("児童館", "0123-45-1111", "中央1-1", ("日",))


@pytest.mark.parametrize(
    ("said", "tel"),
    [
        ("0866 00 2000", "0866-00-2000"), ("０８６６−００－２０００", "0866-00-2000"), ("0866ー00ー2000", "0866-00-2000"),
        ("0866-00-2001(代表)", "0866-00-2001"), ("0866-00-2001　0866-00-2002", "0866-00-2001"), ("866-00-2000", None), ("0866 00", None),
        ("#8008", "#8008"), ("110", "110"),
    ],
)  # fmt: skip
def test_a_number_comes_in_whole_or_not_at_all(said: str, tel: str | None) -> None:
    [entry] = import_csv(f"名称,住所,電話番号\n会館,見本町1,{said}\n".encode()).entries.values()
    assert Entry.model_validate(entry).contacts[0].tel == tel


def test_an_extension_behind_the_number_goes_to_the_name() -> None:
    [entry] = import_csv("名称,住所,電話番号\n会館,見本町1,0866-00-2000（内線 5）\n".encode()).entries.values()
    assert entry["contacts"] == [{"name": "会館（内線 5）", "tel": "0866-00-2000", "place": {"address": "見本町1"}}]


def test_a_quote_nobody_closed_and_letters_nobody_can_read_keep_no_other_row_out() -> None:
    rows = [f"会館{number},見本町{number},0866-00-{1000 + number}" for number in range(1, 60)]
    rows[1] = '会館2,"見本町2,0866-00-1002'
    whole = "\n".join(["名称,住所,電話番号", *rows]).encode("cp932")
    taken = import_csv(whole.replace("会館5,".encode("cp932"), "会館5".encode("cp932") + b"\x81\x00,"))
    assert [entry["name"] for entry in taken.entries.values()] == [f"会館{number}" for number in range(1, 60) if number != 5]
    [bad] = taken.bad
    assert (bad.row, bad.name[:3]) == (6, "会館5")
    assert "読めない文字" in bad.reason


def test_an_office_with_several_services_is_one_entry_that_says_them_all() -> None:
    table = "介護サービス事業所名称,実施サービス,事業所番号\n見本会,通所介護,3370000001\n見本会,訪問介護,3370000001\n別の会,通所介護,3370000001\n"
    taken = import_csv(table.encode())
    [entry] = taken.entries.values()
    assert (entry["summary"], entry["keywords"]) == ("通所介護、訪問介護です。", ["通所介護", "訪問介護"])
    assert [note.row for note in taken.notes] == [3]
    assert [(bad.row, bad.name) for bad in taken.bad] == [(4, "別の会")]


def test_line_breaks_in_cells_do_no_harm_and_the_same_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "town.yaml").write_text("name: 見本市\nextends: starter\n", encoding="utf-8")
    heads = "ＮＯ,名　称,所在地,開館時間,休館日,備考"
    row = '１,見本館,"見本町1-1\n（駅前）",午前9時～午後9時,"月曜日\n年末年始（12/29～1/3）","予約は\n電話で"'
    table = f"見本市の施設,,,,,\n{heads}\n{row}\n,,,,,\n".encode("cp932")
    found = plan(lay(tmp_path), import_csv(table), {})
    for path, text in found.files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    laid = lay(tmp_path)
    entry = laid.entries["shisetsu-1"]
    assert (entry.summary, entry.contacts[0].place.address) == ("予約は 電話で", "見本町1-1 （駅前）")
    assert (entry.contacts[0].hours[0].to, entry.contacts[0].closed) == ("21:00", ("月", "12/29~1/3"))
    again = plan(laid, import_csv(table, laid.sheets.keys()), {Path(read.file): "\n".join(read.lines) for read in laid.reads})
    assert (again.files, again.same, again.bad) == ({}, 1, ())


def test_a_table_that_stands_on_its_side_is_none() -> None:
    with pytest.raises(NoTable):
        import_csv("項目,内容\n名称,見本館\n住所,見本町1\n".encode())


def test_a_number_beside_the_name_of_the_office_is_its_telephone() -> None:
    table = "制度名,概要,お問い合わせ先\n甲,甲です。,学校教育課　０１２３－４５－１２３４\n乙,乙です。,子育て課\n"
    [told, bare] = import_csv(table.encode()).entries.values()
    assert Entry.model_validate(told).contacts[0].model_dump(include={"name", "tel"}) == {"name": "学校教育課", "tel": "0123-45-1234"}
    assert Entry.model_validate(bare).contacts[0].name == "子育て課"


def test_dates_of_three_calendars_are_one() -> None:
    heads = "制度番号,制度名,概要,受付開始日,受付終了日"
    table = f"{heads}\n1,甲,甲です。,平成31年4月1日,令和９年３月３１日（水）\n2,乙,乙です。,2026/4/1 0:00,20270331\n"
    taken = import_csv(table.encode()).entries.values()
    found = [Entry.model_validate(fields).valid for fields in taken]
    assert [f"{valid.from_} {valid.until}" for valid in found] == ["2019-04-01 2027-03-31", "2026-04-01 2027-03-31"]
