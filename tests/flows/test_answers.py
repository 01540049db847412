"""Answers as people type them instead of pressing: every open question of the dialogues, in words that no button has (G3)."""

import pytest

import flows
from flows import answers
from flows.model import Choice, Session
from flows.phrasebook import built_in

JA = built_in()["ja"]


def asked(question: str, *names: str) -> Session:
    """The question of this phrase, with these choices open."""
    return Session(choices=tuple(Choice(value=name, label=JA.buttons[name]) for name in names), notes={"asked": JA.says[question][0]})


CARDS = asked("cards.right", "right", "wrong")
GATE = asked("held.question", "go_on", "explain")
FOLLOW = asked("follow_up.may_we", "please_ask", "no_need")
WRONG = asked("wrong.what", "other_matter", "not_mine", "been_there")
WHICH = asked("which.question", "money", "family", "body", "home")
WHOSE = asked("whose.question", "self", "parent", "child", "family_other")
UNCLEAR = asked("unclear.human", "talk_now", "talk_later", "list")
LIST = asked("several.any_mistake", "as_it_is", "mend")
PERSON = asked("several.one_person", "one_person", "by_myself", "later")
GAP = asked("gap.offer", "take_over", "near_things", "no_need")
SHEET = asked("sheet.is_it_right", "this_is_right", "mend", "strike_out")
TELL = asked("sheet.who_reads", "yes", "no")
LIMIT = asked("unsure.suicide", "is_so", "is_not_so", "cannot_say")
PILLS = asked("crisis.suicide.question", "doing", "not_doing", "no_answer")
SAFE = asked("crisis.partner.question", "safe", "not_safe", "flee")
CHILD = asked("crisis.child.question", "hurt", "not_hurt")
CARER = asked("crisis.carer.question", "ill", "not_ill")
FOOD = asked("crisis.food.question", "little_ones", "no_little_ones")
NEIGHBOUR = asked("third.danger", "seen_now", "not_seen")
PASS_ON = asked("third.where", "pass_on", "call_myself")
KNOWS = asked("third.knows_plain", "knows", "does_not_know", "cannot_say")
SHARE = asked("handoff.share", "share", "not_share")
HOW = asked("follow_up.how_are_you", "better", "same", "could_not_go", "no_more_mail")
WHY = asked("follow_up.why", "no_time", "heavy", "refused", "other_reason")
TOGETHER = asked("follow_up.same", "please", "not_now")
WHEN = asked("helper.when", "weekday_day", "evening", "weekend", "any_time")
INFO_DAY = asked("helper.may_we", "info_day", "another_time")
ERASE = asked("erase.what_stays", "do_erase", "rather_not", "details")


@pytest.mark.parametrize(
    ("question", "text", "value"),
    [
        (CARDS, "うん、合ってる", "right"), (CARDS, "あってると思います", "right"), (CARDS, "はい、ありがとうございます", "right"),
        (CARDS, "合ってない", "wrong"), (CARDS, "ちょっと違う", "wrong"), (CARDS, "電話してみます", "right"), (CARDS, "せやな", "right"),
        (CARDS, "合ってる😊", "right"), (CARDS, "ﾁｶﾞｳ", "wrong"), (CARDS, "２", "wrong"), (CARDS, "えっと、２番で", "wrong"),
        (CARDS, "介護のことも聞きたい", None), (CARDS, "うーん", None), (GATE, "つづけます", "go_on"), (GATE, "続けてください", "go_on"),
        (GATE, "大丈夫です", "go_on"), (GATE, "くわしく知りたい", "explain"), (FOLLOW, "聞いてほしいです", "please_ask"),
        (FOLLOW, "うん、お願いします", "please_ask"), (FOLLOW, "いや、いいです", "no_need"), (FOLLOW, "大丈夫です", "no_need"),
        (FOLLOW, "いりません", "no_need"), (WRONG, "もう行った", "been_there"), (WRONG, "もう電話しました", "been_there"),
        (WRONG, "自分じゃない", "not_mine"), (WRONG, "③です", "been_there"), (WHICH, "お金のことです", "money"), (WHICH, "仕事", "money"),
        (WHICH, "かいご", "family"), (WHICH, "からだのほう", "body"), (WHICH, "2番目", "family"), (WHICH, "仕事をなくした", None),
        (WHICH, "仕事がない", None), (WHOSE, "母です", "parent"), (WHOSE, "私のことです", "self"), (WHOSE, "うちの子", "child"),
        (WHOSE, "夫のこと", "family_other"), (WHOSE, "わたし", "self"), (UNCLEAR, "いますぐ話したい", "talk_now"),
        (UNCLEAR, "後でお願いします", "talk_later"), (UNCLEAR, "一覧を見せて", "list"), (LIST, "合ってます", "as_it_is"),
        (LIST, "まちがいはないです", "as_it_is"), (LIST, "だいじょうぶです", "as_it_is"), (LIST, "なおしたい", "mend"),
        (PERSON, "自分で連絡してみようと思います", "by_myself"), (PERSON, "担当の人と話したいです", "one_person"),
        (PERSON, "お願いします", "one_person"), (PERSON, "あとで考えます", "later"), (GAP, "引き継いで", "take_over"),
        (GAP, "ひきついでください", "take_over"), (GAP, "見てみたいです", "near_things"), (GAP, "結構です", "no_need"),
        (SHEET, "これで大丈夫です", "this_is_right"), (SHEET, "消したいです", "strike_out"), (SHEET, "なおして", "mend"),
        (TELL, "うん、いいですよ", "yes"), (TELL, "やっぱりいやです", "no"), (TELL, "大丈夫です", "yes"), (LIMIT, "あります", "is_so"),
        (LIMIT, "そういう気持ちはないです", "is_not_so"), (LIMIT, "わかんない", "cannot_say"), (LIMIT, "ううん", "is_not_so"),
        (LIMIT, "言いたくありません", "cannot_say"), (LIMIT, "うーん…", "cannot_say"), (PILLS, "薬は飲んでいません", "not_doing"),
        (PILLS, "準備してる", "doing"), (PILLS, "してないよ", "not_doing"), (PILLS, "飲みました", "doing"),
        (PILLS, "答えたくないです", "no_answer"), (PILLS, "死にたい", None), (PILLS, "薬", None), (PILLS, "はい", "doing"),
        (PILLS, "無理", None), (SAFE, "安全な場所にいます", "safe"), (SAFE, "いないです", "not_safe"),
        (SAFE, "逃げたいよ", "flee"), (SAFE, "安全じゃない", "not_safe"), (CHILD, "けがしてる", "hurt"), (CHILD, "してない", "not_hurt"),
        (CHILD, "けがはしていません", "not_hurt"), (CARER, "けがはないです", "not_ill"), (CARER, "ありません", "not_ill"),
        (CARER, "あざがある", "ill"), (FOOD, "小さい子がいます", "little_ones"), (FOOD, "いません", "no_little_ones"),
        (FOOD, "一人です", "no_little_ones"), (NEIGHBOUR, "見てないです", "not_seen"), (NEIGHBOUR, "わかりません", "not_seen"),
        (NEIGHBOUR, "ありました", "seen_now"), (PASS_ON, "伝えてください", "pass_on"), (PASS_ON, "自分でかけます", "call_myself"),
        (KNOWS, "まだ話してないです", "does_not_know"), (KNOWS, "本人は知りません", None), (KNOWS, "知ってます", "knows"),
        (SHARE, "はい、渡してください", "share"), (SHARE, "渡さないでほしい", "not_share"), (SHARE, "全部渡していいです", "share"),
        (SHARE, "やめとく", "not_share"), (HOW, "だいぶよくなりました", "better"), (HOW, "あいかわらずです", "same"),
        (HOW, "まだ行けてないです", "could_not_go"), (HOW, "もう連絡しないでください", "no_more_mail"), (HOW, "変わってない", "same"),
        (WHY, "時間がなくて", "no_time"), (WHY, "気がおもい", "heavy"), (WHY, "ことわられた", "refused"), (WHY, "断られました", "refused"),
        (TOGETHER, "お願いしたいです", "please"), (TOGETHER, "いまはいいです", "not_now"), (TOGETHER, "大丈夫です", "not_now"),
        (TOGETHER, "ぜひ", "please"), (WHEN, "平日のひる", "weekday_day"), (WHEN, "土日です", "weekend"),
        (WHEN, "いつでもいいです", "any_time"), (WHEN, "夜なら", "evening"), (INFO_DAY, "説明会に行きたい", None),
        (INFO_DAY, "また今度で", "another_time"), (INFO_DAY, "説明会の日がいい", "info_day"), (ERASE, "消してください", "do_erase"),
        (ERASE, "はい", "do_erase"), (ERASE, "やめておきます", "rather_not"),
    ],
)  # fmt: skip
def test_an_answer_typed_in_own_words_is_understood(town: flows.Town, question: Session, text: str, value: str | None) -> None:
    assert answers.answer(question, text, town) == value


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("すみません、人と話したいです", "human"), ("人と話したいんですけど", "human"), ("担当の人と話せますか", "human"), ("もどりたいです", "back"),
        ("助けてほしいです", "help"), ("人と話したくない", None), ("実家に戻りたい", None), ("人です", None), ("人と話すのが怖い", None),
        ("手伝ってほしい", None), ("人が怖い", None),
    ],
)  # fmt: skip
def test_a_word_that_works_everywhere_is_known_whatever_its_endings(text: str, word: str | None) -> None:
    assert flows.everywhere_word(text) == word
