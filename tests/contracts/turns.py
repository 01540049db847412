"""Turns to send: one as residents get it, and any that could be made up."""

from hypothesis import strategies as st

from bot.channels.port import Outgoing
from flows.model import Button, Card, Reply

CARD = Card(
    id="chiiki-houkatsu",
    title="地域包括支援センター（見本）",
    reason="「同じことを何回も聞く」とあったので、使えるかもしれません。",
    lines=("社会福祉法人・無料", "いま開いています（17:15まで）", "電話 0000-00-0000（月〜金 8:30〜17:15）", "確認日 2026-10-01"),
    buttons=(
        Button(label="電話する", tel="0000-00-0000"),
        Button(label="地図", url="https://maps.google.com/?q=35.0,139.0"),
        Button(label="くわしく", value="!card:chiiki-houkatsu"),
    ),
)
ANSWERS = (Button(label="合っている", value="7:yes"), Button(label="ちがう", value="7:no"), Button(label="人と話す", value="!human"))
TURN = Outgoing(
    bubbles=(Reply(text="お母さまが同じことを何度も聞くのですね。"), Reply(cards=(CARD, CARD)), Reply(text="合っていますか。")),
    buttons=ANSWERS,
)

letters_of_all_kinds = st.characters(codec=None, exclude_categories=()) | st.sampled_from("か゚葛\U000e0100👨‍👩‍👧🇯🇵👍🏽\x00\ud800<>&\"'\n。 ")
any_text = st.text(letters_of_all_kinds, max_size=60)
long_text = st.builds(lambda part, times: part * times, any_text, st.integers(1, 400))
some_text = any_text.filter(lambda text: bool(text.replace("\x00", "").strip()))
payloads = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
phone_numbers = st.sampled_from(("0120-000-000", "#7119", "110"))
addresses = st.sampled_from(("https://example.jp/r#abc", "http://127.0.0.1:8000/", "https://例え.jp/道?q=1 2"))

good_buttons = (
    st.builds(Button, label=some_text, value=payloads)
    | st.builds(Button, label=some_text, tel=phone_numbers)
    | st.builds(Button, label=some_text, url=addresses.filter(lambda url: " " not in url))
)
any_buttons = st.builds(Button, label=any_text, value=any_text, url=st.none() | any_text | addresses, tel=st.none() | any_text | phone_numbers)


def _cards(buttons: st.SearchStrategy[Button], title: st.SearchStrategy[str]) -> st.SearchStrategy[Card]:
    lines = st.lists(any_text, max_size=6).map(tuple)
    return st.builds(Card, id=st.just("some"), title=title, reason=any_text, lines=lines, buttons=st.lists(buttons, max_size=3).map(tuple))


def _turns(buttons: st.SearchStrategy[Button], title: st.SearchStrategy[str]) -> st.SearchStrategy[Outgoing]:
    replies = st.builds(Reply, text=any_text | long_text, cards=st.lists(_cards(buttons, title), max_size=4).map(tuple))
    return st.builds(
        Outgoing,
        bubbles=st.lists(replies, max_size=6).map(tuple),
        buttons=st.lists(buttons, max_size=5).map(tuple),
        speaker=st.none() | any_text,
        alt=st.just("") | any_text,
    )


good_turns = _turns(good_buttons, some_text)
"""Long, odd and many, but nothing a platform has no place for: these must always arrive."""
any_turns = _turns(any_buttons, any_text)
"""Also blank labels, broken addresses, endless payloads: these arrive, or are refused before they are sent."""
