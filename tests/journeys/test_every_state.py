"""States that a page takes only while somebody works on it, looked at by axe and at 400 % as they come by (desk.md §10)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from storage import months, staff
from storage.desk_queue import Viewer
from tests.journeys import morning
from tests.journeys.conftest import begins
from tests.journeys.test_every_page import looks_right
from tests.town import Town

pytestmark = pytest.mark.browser

Desk = Callable[[str], Page]


def test_an_agency_answers_and_what_it_saw_ends(town: Town, desk: Desk, open_browser: Callable[..., Page]) -> None:
    page, wrong = desk("佐藤"), []
    token, case = morning.office_of(town), town.resident_on("line").says("人と話したい").case
    page.goto(f"/desk/cases/{case}")
    page.locator(".case-head__acts").get_by_role("button", name="受け持つ").click()
    page.goto(f"/desk/cases/{case}/referrals")
    page.get_by_label("ほかに伝えること（1行に1つ）").fill("家で転んだ")
    page.get_by_label("生命・身体の危険").check()
    page.get_by_label("どんな危険か").fill("動けない")
    page.get_by_label("つなぐ先").fill(morning.AGENCY)
    page.get_by_label("目的").fill("家に来てほしい")
    page.get_by_role("button", name="つなぐ", exact=True).click()
    expect(page.locator("section.panel", has_text="依頼中")).to_be_visible()
    wrong += looks_right(page, "a referral that waits")

    agency = open_browser()
    begins(agency, token, "高橋", "takahashi", "**/desk/shared")
    wrong += looks_right(agency, "what is shared")
    agency.locator("[data-row]").click()
    agency.get_by_role("button", name="断る").click()
    expect(agency.get_by_role("alert").filter(has_text="理由")).to_be_visible()
    wrong += looks_right(agency, "a refusal without its reason")
    agency.get_by_role("button", name="受理する").click()
    expect(agency.get_by_role("button", name="ようすを知らせる")).to_be_visible()
    wrong += looks_right(agency, "accepted")
    town.store.transact(lambda rows: rows.execute(text("UPDATE referral SET until = asked_at")))
    expect(agency.locator("body")).not_to_contain_text("家で転んだ", timeout=5_000)
    wrong += looks_right(agency, "nothing is shared any more")
    assert wrong == []


def test_the_towns_own_page_once_months_are_closed(town: Town, open_browser: Callable[..., Page]) -> None:
    living = town.parts.knowledge
    living.town = replace(living.town, base=replace(living.town.base, town=living.town.base.town.model_copy(update={"shows_troubles": True})))
    town.coordinator("係長", role="lead")
    member, now = town.rows("SELECT id FROM staff")[0][0], town.clock.now()
    lead = Viewer(member, "係長", "lead", f"staff:{member}")
    page, wrong = open_browser(), []
    page.goto("/town")
    wrong += looks_right(page, "no month is closed")
    for month in ("2026-04", "2026-05", "2026-06"):
        counts = {"work": {"consulted": 20}, "topics": {"T12": 5, "T03": 1}}
        town.store.transact(lambda rows, month=month, counts=counts: months.close(rows, lead, month, counts, now))
    page.goto("/town")
    expect(page.locator("main")).to_contain_text("介護のこと")
    wrong += looks_right(page, "a quarter is closed")
    assert wrong == []


def test_an_emergency_asked_refused_and_answered_and_pages_of_trouble(town: Town, desk: Desk, open_browser: Callable[..., Page]) -> None:
    page, wrong = desk("佐藤"), []
    first, other = (town.resident_on("line").says("人と話したい").case for _ in range(2))
    editor = open_browser()
    begins(editor, town.store.transact(lambda rows: staff.invite(rows, role="editor", now=town.clock.now())), "森", "mori")
    for case in (first, other):
        editor.goto("/desk/emergency")
        editor.get_by_label("相談票の番号").fill(case)
        editor.get_by_label("なぜ、いま開くのか").fill("本人が窓口に来ている")
        editor.get_by_role("button", name="頼む").click()
        wrong += looks_right(editor, "asked")
    for place, answer in (("頼まれた", "開かない"), ("まだ一つある", "60分だけ開く")):
        page.goto("/desk/emergency")
        wrong += looks_right(page, place)
        page.get_by_role("button", name=answer).first.click()
        wrong += looks_right(page, answer)
    editor.goto("/desk/emergency")
    wrong += looks_right(editor, "let in")

    page.goto(f"/desk/cases/{first}")
    page.locator("#note-text").evaluate("one => { one.value = 'あ'.repeat(400000); }")
    page.get_by_role("button", name="メモを残す").click()
    expect(page.locator("h1")).to_contain_text("大きすぎて")
    wrong += looks_right(page, "413")
    town.store.transact(lambda rows: rows.execute(text("ALTER TABLE duty RENAME TO duty_gone")))
    assert (page.goto("/desk/duty") or pytest.fail("no answer")).status >= 500
    wrong += looks_right(page, "a trouble of ours")
    assert wrong == []
