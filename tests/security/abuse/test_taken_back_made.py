"""What was made from words that were taken back: an offer, a report, a wish, what an office was told (R8)."""

import json
import re
from collections.abc import Callable

import pytest
from sqlmodel import Session as Rows

from storage import gaps, helping, taken_back
from storage import talk as talks
from storage.desk_queue import Viewer, tasks
from tests.desk.conftest import Browser, Office
from tests.desk.test_agencies import lead, of_agency
from tests.desk.test_sheets import AGENCY, first_line, refers, tab
from tests.desk.test_stream import listening
from tests.town import Resident, Town
from tests.twins import Webhook

__all__ = ["lead"]


def _post(town: Town, webhook: Webhook) -> None:
    assert town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
    town.rests()


def _says(town: Town, resident: Resident, words: str) -> str:
    """Say it on LINE; the platform's name of the message."""
    event = town.line.text_event(resident.account, words)
    _post(town, town.line.webhook(event))
    return str(event["message"]["id"])


def _at_the_desk(town: Town) -> str:
    """All that the pages of offers, things to see to and gaps are made of."""
    viewer, now = Viewer("0" * 32, "当番", "lead", "staff:0"), town.clock.now()

    def work(rows: Rows) -> str:
        found = [*helping.offers(rows, viewer, now), *tasks(rows, viewer, now), *gaps.found(rows)]
        return "\n".join(map(repr, found))

    return town.store.transact(work)


_WAYS = {
    "an offer, in what it began with": ("何か役に立てることないかな。前は見本大工でした", "手を動かすこと、平日ひる", "→説明会の日"),
    "an offer, in what was asked": ("何か役に立てることないかな", "→その他", "見本大工の仕事ができます、土日", "→説明会の日"),
    "a report, in what was seen": ("隣のおばあさん、最近見かけないし新聞が見本大工の家にたまってる", "→ない・わからない", "→伝える", "東浜2丁目"),
    "a report, in where it is": ("隣のおばあさん、最近見かけないし新聞がたまってる", "→ない・わからない", "→伝える", "東浜2丁目の見本大工のとなり"),
    "a wish": (
        "目が少しずつ見えにくくなって運転をやめました。障害の窓口では等級に届かないと言われ、介護は58歳なので対象外と言われました。病院まで行く足がありません",
        "→いらない", "見本大工の車 2 台",
    ),
}  # fmt: skip
"""What is said, and (→) pressed."""


@pytest.mark.requirement("R8")
@pytest.mark.parametrize("what", _WAYS)
def test_what_was_made_of_words_that_were_taken_back_goes_with_them(town: Town, what: str) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line").taps("相談をはじめる")
    names = []
    for step in _WAYS[what]:
        if step.startswith("→"):
            resident.taps(step[1:])
        else:
            name = _says(town, resident, step)
            names += [name] if "見本大工" in step else []
    assert "見本大工" in _at_the_desk(town)
    for name in names:
        _post(town, town.line.unsend(resident.account, name))
    assert "見本大工" not in _at_the_desk(town)


@pytest.mark.requirement("R8", "R20")
async def test_words_taken_back_leave_what_was_asked_and_agreed_to_be_told(office: Office, sato: Browser) -> None:
    code = office.has_case("見本大工のことを消したい")
    await sato.claims(code)
    await sato.opens(tab(code, "consents"))
    item = re.search(r'name="item" value="([^"]*見本大工[^"]*)"', sato.page)
    assert item
    asked = {"recipient": AGENCY, "item": item[1], "days": "30"}
    await sato.posts(tab(code, "consents"), how="card", expected_version=sato.field("expected_version", "/consents"), **asked)
    assert sato.status in (200, 303), sato.text
    await sato.posts(tab(code, "consents"), how="heard", expected_version="9", **asked)
    assert sato.page.count("見本大工") >= 3
    talk, now = office.talk(), office.clock.now()
    office.store.transact(lambda rows: taken_back.forget(rows, talk, talks.lines(rows, talk.id)[0], now))
    for page in (tab(code, "consents"), tab(code, "referrals"), f"/desk/cases/{code}"):
        assert "見本大工" not in await sato.opens(page), page


@pytest.mark.requirement("R20", "R23")
async def test_a_tick_means_the_line_that_was_read_and_no_other_that_moved_into_its_place(office: Office, sato: Browser) -> None:
    """One line is taken back while a coordinator chooses what an office may know: what stood below it must not be told in its stead."""
    code = office.has_case("消す言葉")
    await sato.opens(tab(code, "sheet"))
    mark, refs = sato.field("mark", "/sheet"), re.findall(r'name="refs" value="([^"]*)"', sato.page)[:1]
    rows = {"about": ["worry", "worry"], "text": ["消す言葉", "だれにも言わない話"], "source": ["said", "said"], "refs": [*refs, ""]}
    await sato.http.post(tab(code, "sheet"), data={"csrf": sato.field("csrf"), "mark": mark, **rows})
    await sato.opens(tab(code, "referrals"))
    first, csrf = first_line(sato.page), sato.field("csrf")
    talk, now = office.talk(), office.clock.now()
    office.store.transact(lambda rows: taken_back.forget(rows, talk, talks.lines(rows, talk.id)[0], now))
    told = {"recipient": AGENCY, "purpose": "訪問", "until": "R8.12.31", "basis": "danger", "danger": "倒れている", "line": first, "csrf": csrf}
    answer = await sato.http.post(tab(code, "referrals"), data=told)
    assert answer.status_code == 422
    assert "まだ何も伝えていません" in answer.text
    assert office.rows("SELECT count(*) FROM referral") == [(0,)]


@pytest.mark.requirement("R8", "R20")
async def test_an_office_whose_page_lies_open_hears_that_what_it_was_told_is_less(
    office: Office, lead: Browser, a_browser: Callable[..., Browser]
) -> None:  # fmt: skip
    agency = await of_agency(lead, a_browser(), AGENCY, "houkatsu")
    code = office.has_case("消したい言葉")
    await refers(lead, code, basis="danger", danger="倒れている", more="残る言葉")
    async with listening(agency, "/desk/stream") as ear:
        _, before, _ = await ear.hears("shared")
        talk, now = office.talk(), office.clock.now()
        office.store.transact(lambda rows: taken_back.forget(rows, talk, talks.lines(rows, talk.id)[0], now))
        _, after, _ = await ear.hears("shared", seconds=5)
        assert [one for one, _ in json.loads(before)] == [one for one, _ in json.loads(after)]
        assert before != after
        assert all(name != "taken-back" for name, _, _ in ear.events), "which cases there are is not its business"
    await agency.opens(f"/desk/shared/{json.loads(after)[0][0]}")
    assert "残る言葉" in agency.text
    assert "消したい言葉" not in agency.page
