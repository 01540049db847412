"""機械にもどす and 一旦おわる (end of D8, D14)."""

import pytest

from bot.desk.offers import offers
from tests.desk.conftest import Browser, Office


async def test_handing_back_says_the_coordinators_words_then_the_bot_takes_over(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.ends(code, "hand-back", next="R8.11.26", half="am", choice="1")
    assert office.line.words[0] == "きょうはここまでにします。11月26日（木）の午前に、ここへ書きますね。"
    assert len(office.line.posted) == 2
    assert office.line.posted[0][1].speaker == "佐藤"
    assert office.line.posted[1][1].speaker is None
    assert office.talk().owner == "bot"
    assert office.rows("SELECT state FROM care_case") == [("returned",)]
    assert office.rows("SELECT kind, state, due_at FROM promise") == [("next_contact", "open", "2026-11-26 03:00:00.000000")]


async def test_closing_asks_why_when_next_and_what_to_say(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.opens(f"/desk/cases/{code}/close")
    for words in ("終わる理由", "次の連絡", "本人へのひとこと", *offers("close")):
        assert words in sato.text
    await sato.ends(code, "close", reason="settled", no_next="yes", choice="2")
    assert office.line.words[0] == offers("close")[1]
    assert office.rows("SELECT state, close_reason, next_contact_none FROM care_case") == [("closed", "settled", 1)]
    assert office.talk().owner == "bot"
    assert "この相談は 令和8年11月24日（火）10:00 に終わりました" in sato.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": "settled", "choice": "2"}, "「次の連絡はなし」を選んでください"),
        ({"reason": "settled", "choice": "2", "no_next": "yes", "next": "R8.11.26"}, "どちらかにしてください"),
        ({"reason": "settled", "choice": "2", "next": "8/11/26"}, "年の元号がわかりません"),
        ({"reason": "settled", "choice": "2", "next": "R8.2.30"}, "日付が読めません"),
        ({"reason": "settled", "choice": "2", "next": "R8.11.23"}, "過ぎた日です"),
        ({"reason": "settled", "choice": "2", "next": "R88.11.23"}, "2年より先"),
        ({"reason": "settled", "choice": "1", "no_next": "yes"}, "日が書かれていません"),
        ({"reason": "settled", "no_next": "yes"}, "本人へのひとことを選んでください"),
        ({"reason": "", "no_next": "yes", "choice": "2"}, "終わる理由を選んでください"),
        ({"reason": "settled", "no_next": "yes", "choice": "2", "sentence": "あ" * 4001}, "文が長すぎます"),
    ],
)
async def test_an_unfinished_closing_changes_nothing_and_keeps_what_was_chosen(
    office: Office, sato: Browser, fields: dict[str, str], words: str
) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.ends(code, "close", **fields)
    assert sato.status == 422
    assert words in sato.text
    assert office.rows("SELECT state FROM care_case") == [("held",)]
    assert office.line.posted == []
    if fields.get("next"):
        assert f'value="{fields["next"]}"' in sato.page


async def test_own_words_replace_the_offer(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.ends(code, "close", reason="moved", next="2026-12-01", half="pm", choice="2", sentence="お元気で。［次の連絡］にまた。")
    assert office.line.words[0] == "お元気で。12月1日（火）の午後にまた。"


@pytest.mark.parametrize("how", ["close", "hand-back"])
async def test_saying_nothing_sends_nothing_at_all(office: Office, sato: Browser, how: str) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.ends(code, how, reason="died", no_next="yes" if how == "close" else "", choice="none")
    assert office.line.posted == []
    assert office.talk().owner == "bot"


async def test_a_hidden_address_hears_nothing_at_the_end_of_a_closed_talk(office: Office, sato: Browser) -> None:
    code = office.has_case(hidden=True)
    await sato.claims(code)
    office.clock.moves(minutes=20)
    await sato.opens("/desk")
    office.clock.moves(minutes=20)
    await sato.ends(code, "close", reason="settled", no_next="yes", choice="2")
    assert sato.status == 409
    assert office.line.posted == []
    assert office.rows("SELECT state FROM care_case") == [("held",)]


async def test_a_case_given_back_can_be_taken_again(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.ends(code, "hand-back", choice="2")
    await sato.claims(code)
    await sato.replies(code, "またきました")
    assert office.line.words[-1] == "またきました"
    assert office.talk().owner == "human"


async def test_a_closed_case_takes_no_more_words(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.ends(code, "close", reason="settled", no_next="yes", choice="2")
    sent = len(office.line.posted)
    await sato.replies(code, "まだあります", expected_version="3")
    assert sato.status == 409
    await sato.posts(f"/desk/cases/{code}/claim")
    assert sato.status == 409
    assert len(office.line.posted) == sent


async def test_closing_after_a_colleague_acted_is_refused(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.opens(f"/desk/cases/{code}/close")
    version = sato.field("expected_version", "/close")
    await tanaka.opens(f"/desk/cases/{code}")
    await tanaka.posts(f"/desk/cases/{code}/claim", instead="yes")
    await sato.posts(f"/desk/cases/{code}/close", expected_version=version, reason="settled", no_next="yes", choice="2")
    assert sato.status == 409
    assert office.rows("SELECT state FROM care_case") == [("held",)]


async def test_a_gap_told_at_the_end_is_counted_without_the_person(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.ends(code, "close", reason="settled", no_next="yes", choice="none", gap="no_certificate", wish="手帳がなくても通える場所")
    ((reasons, case_id, wish),) = office.rows("SELECT reasons, case_id, wish_sealed FROM gap")
    assert reasons == '["no_certificate"]'
    assert case_id is None
    assert "手帳".encode() not in wish  # type: ignore[operator]
