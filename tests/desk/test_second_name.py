"""A danger to life needs two names: who took it, and somebody else who has looked as well (D14)."""

import pytest

from bot.alarm import SECOND
from tests.desk.conftest import Browser, Office

_ASKED = "もう一人の確認がまだです"


@pytest.fixture
async def one_name(office: Office, sato: Browser) -> str:
    """A case of a danger to life that 佐藤 has just taken; its code."""
    code = office.has_case("薬を全部飲んだ", urgency=3, rings=True, level="L3")
    await sato.claims(code)
    return code


async def test_every_page_says_that_a_name_is_missing_until_somebody_else_has_confirmed(one_name: str, sato: Browser, tanaka: Browser) -> None:
    await tanaka.opens("/desk/duty")
    assert _ASKED in tanaka.text
    assert "佐藤さん" in tanaka.text
    assert "薬" not in tanaka.text

    await tanaka.opens(f"/desk/cases/{one_name}")
    await tanaka.posts(f"/desk/cases/{one_name}/second-name")

    for browser in (sato, tanaka):
        await browser.opens("/desk/duty")
        assert _ASKED not in browser.text
    await sato.opens(f"/desk/cases/{one_name}")
    assert "田中が 11/24 10:00 に確かめた" in sato.text
    await sato.opens(f"/desk/cases/{one_name}/history")
    assert "もう一人として確かめた" in sato.text


async def test_whoever_took_it_cannot_be_the_second_name(office: Office, one_name: str, sato: Browser) -> None:
    await sato.opens(f"/desk/cases/{one_name}")
    assert "もう一人として確かめた" not in sato.page.partition("<main")[2]

    answer = await sato.posts(f"/desk/cases/{one_name}/second-name")

    assert answer.status_code == 409
    assert "受け持った人とは別の人です" in sato.text
    assert office.rows("SELECT confirmed_by FROM alarm") == [(None,)]


async def test_the_task_ends_with_the_confirmation_and_by_no_other_press(office: Office, one_name: str, sato: Browser, tanaka: Browser) -> None:
    [(task,)] = office.rows("SELECT id FROM task WHERE kind = 'second_name'")
    await sato.opens("/desk/tasks")
    assert "もう一人が開いて確かめてください" in sato.text
    await sato.posts(f"/desk/tasks/{task}/done")
    assert sato.status == 404

    await tanaka.opens(f"/desk/cases/{one_name}")
    await tanaka.posts(f"/desk/cases/{one_name}/second-name")

    await tanaka.opens("/desk/tasks")
    assert "いま、やることはありません" in tanaka.text


async def test_a_crisis_that_is_no_danger_to_life_needs_one_name(office: Office, sato: Browser) -> None:
    await sato.claims(office.has_case("死にたい", urgency=2, rings=True))

    assert _ASKED not in sato.text
    assert office.rows("SELECT count(*) FROM task") == [(0,)]


async def test_who_is_shut_out_of_a_resident_hears_nothing_of_the_missing_name(office: Office, one_name: str, sato: Browser, tanaka: Browser) -> None:
    [(tanaka_id,)] = office.rows("SELECT id FROM staff WHERE name = '田中'")
    await sato.opens(f"/desk/cases/{one_name}/pass-on")
    await sato.posts(f"/desk/cases/{one_name}/shut-out", staff=str(tanaka_id), why="となりの家")

    await tanaka.opens("/desk/duty")
    assert _ASKED not in tanaka.text
    await tanaka.posts(f"/desk/cases/{one_name}/second-name")
    assert tanaka.status == 404


async def test_a_new_danger_in_the_hands_of_another_asks_the_first_to_confirm(office: Office, one_name: str, sato: Browser, tanaka: Browser) -> None:
    await tanaka.opens(f"/desk/cases/{one_name}")
    await tanaka.posts(f"/desk/cases/{one_name}/claim", instead="yes")
    await tanaka.posts(f"/desk/cases/{one_name}/second-name")
    assert _ASKED not in tanaka.text

    office.rings(level="L3")
    await tanaka.opens("/desk")
    [(alarm,)] = office.rows("SELECT id FROM alarm WHERE acknowledged_at IS NULL")
    await tanaka.posts(f"/desk/alarms/{alarm}/claim")
    await sato.opens(f"/desk/cases/{one_name}")
    await sato.posts(f"/desk/cases/{one_name}/second-name")

    assert _ASKED not in sato.text


async def test_a_case_that_ends_with_one_name_asks_no_more_and_its_history_says_so(office: Office, one_name: str, sato: Browser) -> None:
    await sato.ends(one_name, "close", reason="other_agency", no_next="yes", choice="none")
    assert _ASKED not in sato.text

    await sato.opens(f"/desk/cases/{one_name}/history")

    assert "もう一人の確認がないまま終わった" in sato.text
    assert office.rows("SELECT count(*) FROM task WHERE done_at IS NULL") == [(0,)]


@pytest.mark.requirement("R12")
def test_the_words_that_ask_for_a_second_name_say_nothing_of_what_was_told() -> None:
    for hint in ("命", "死", "薬", "LINE"):
        assert hint not in SECOND
