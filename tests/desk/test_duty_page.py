"""当番: two weeks on one page, written by anybody who takes cases; a wrong address is refused before anything is kept (desk.md §6, §9)."""

import re
from datetime import date, timedelta

from bot import duty as duties
from knowledge.entry import Town
from storage import audit, duty
from tests.desk.conftest import Browser, Office

TODAY = date(2026, 11, 24)


def id_of(browser: Browser, name: str) -> str:
    found = re.search(rf'<option value="([0-9a-f]{{32}})"[^>]*>{name}</option>', browser.page)
    assert found, f"{name} cannot be chosen"
    return found[1]


async def test_who_is_on_duty_stands_on_every_page(office: Office, sato: Browser, tanaka: Browser) -> None:
    await sato.opens("/desk/duty")
    who = id_of(sato, "田中")
    await sato.posts("/desk/duty", first="2026-11-24", act="save", **{"d.2026-11-24.in": who})

    assert "当番表を保存しました" in sato.text
    await tanaka.opens("/desk")
    assert "当番：田中" in tanaka.text
    assert [act for (act,) in office.rows("SELECT act FROM audit WHERE act = 'duty.changed'")] == ["duty.changed"]


async def test_two_weeks_are_filled_as_the_two_before(office: Office, sato: Browser) -> None:
    await sato.opens("/desk/duty")
    who = id_of(sato, "佐藤")
    await sato.posts("/desk/duty", first="2026-11-24", act="save", **{"d.2026-11-25.out": who})
    await sato.posts("/desk/duty", first="2026-12-08", act="same")

    assert office.store.transact(lambda rows: duty.calendar(rows, TODAY, 28)) == {
        (date(2026, 11, 25), "out"): (who,), (date(2026, 12, 9), "out"): (who,),
    }  # fmt: skip


async def test_days_on_which_nobody_is_on_duty_are_told(office: Office, sato: Browser) -> None:
    await sato.opens("/desk/duty")
    assert "受付時間の中：当番の決まっていない日が 14 日あります" in sato.text

    whole = {f"d.{TODAY + timedelta(days=number)}.in": id_of(sato, "佐藤") for number in range(14) if number != 3}
    await sato.posts("/desk/duty", first="2026-11-24", act="save", **whole)

    assert "受付時間の中：当番の決まっていない日が 1 日あります（はじめは 令和8年11月27日（金））" in sato.text


def test_a_day_on_which_the_desk_is_shut_needs_nobody_inside_its_hours() -> None:
    known = {"name": "見本町", "desk_name": "窓口（見本）", "neutral_site": "https://www.jma.go.jp/", "retention": "1年"}
    town = Town.model_validate(known | {"hours": [{"days": "月-金", "from": "8:30", "to": "17:15"}]})

    assert [duties.parts_that_need(town, date(2026, 11, day)) for day in (27, 28)] == [("in", "out"), ("out",)]


async def test_a_wrong_address_is_refused_with_an_example_and_what_was_written_stays(office: Office, sato: Browser) -> None:
    await sato.opens("/desk/duty")
    fields = {"csrf": sato.field("csrf"), "staff_id": [id_of(sato, "佐藤"), ""], "name": ["", "当直室"], "tel": ["0000-00-0000", ""]}
    await sato._arrives(await sato.http.post("/desk/duty/addresses", data=fields | {"mail": ["sato@example.jp", "json://10.0.0.1/hook"]}))

    assert sato.status == 422
    assert "json://10.0.0.1/hook" in sato.page
    assert 'value="sato@example.jp"' in sato.page
    assert office.rows("SELECT id FROM call_address") == []

    await sato._arrives(await sato.http.post("/desk/duty/addresses", data=fields | {"mail": ["sato@example.jp", "night@example.jp"]}))
    assert "呼び出し先を保存" in sato.text
    assert {one.name: one.mail for one in office.store.transact(duty.reach)} == {"佐藤": "sato@example.jp", "当直室": "night@example.jp"}
    assert office.store.transact(audit.verify) is None


async def test_a_day_that_is_no_day_shows_today(sato: Browser) -> None:
    for written in ("", "x", "9999-12-31", "2026-02-30", "0001-01-01"):
        await sato.opens(f"/desk/duty?from={written}")
        assert sato.status == 200
        assert "令和8年11月24日" in sato.text
