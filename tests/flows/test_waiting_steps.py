"""I5: every step that waits has an answer for everything a resident can do. And I1, G2, G3, G10 over random talks."""

import json
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flows
from flows.engine import STEPS, step
from flows.model import Choice, GivenConsent, Kept, Part, Said, Scene, Session, SheetLine, Turn, Utterance
from knowledge.hearing.model import NO_DANGER, Danger
from tests.flows.talks import HOLIDAY_NIGHT, TUESDAY_MORNING, Resident, asks_one_thing, keeps_limits

WORRY = "父の介護で仕事を休みがちで、来月の家賃が払えません"
SHEET = (SheetLine(about="worry", text="来月の家賃が払えません", refs=("m1",)), SheetLine(about="need", text="父の介護", refs=("m1",)))


def waiting_at(at: str, town: flows.Town) -> Session:
    """A session that waits at a step, with two choices, a story and a way back."""
    flow, name = at.split(".")
    earlier = Session(flow="consult", step="open", consented=3, notes={"asked": "書いてください。", "asked_key": "open.anything"})
    return Session(
        flow=flow, step=name, ask=5, consented=None if flow == "consent" else 3, story=(Said(text=WORRY, ref="m1"),), sheet=SHEET,
        needs=("juukyo-kakuho-kyufukin", "chiiki-houkatsu"), shown=("juukyo-kakuho-kyufukin",), choices=_choices(at),
        notes={
            "asked": "どうしますか。", "asked_key": "some.question", "cards": "juukyo-kakuho-kyufukin", "group": "money",
            "seen": "新聞がたまってる",
        },
        back=(earlier.model_dump_json(exclude_defaults=True),), last_at=TUESDAY_MORNING - timedelta(minutes=5),
    )  # fmt: skip


def _choices(at: str) -> tuple[Choice, ...]:
    return (Choice(value="yes", label="はい"), Choice(value="no", label="いいえ"), Choice(value="!human", label="人と話す"))


ACTS = {
    "its first button": Utterance(kind="button", button="5:yes"),
    "its second button": Utterance(kind="button", button="5:no"),
    "the label typed": Utterance(parts=(Part(ref="m2", text="いいえ"),)),
    "its number": Utterance(parts=(Part(ref="m2", text="１"),)),
    "a number that is not there": Utterance(parts=(Part(ref="m2", text="9"),)),
    "もどる": Utterance(parts=(Part(ref="m2", text="もどる"),)),
    "やめる": Utterance(parts=(Part(ref="m2", text="やめる"),)),
    "最初から": Utterance(parts=(Part(ref="m2", text="最初から"),)),
    "人と話す": Utterance(parts=(Part(ref="m2", text="人と話す"),)),
    "たすけて": Utterance(parts=(Part(ref="m2", text="たすけて"),)),
    "ちがう": Utterance(parts=(Part(ref="m2", text="ちがう"),)),
    "そうじゃなくて": Utterance(parts=(Part(ref="m2", text="そうじゃなくて、母のことです"),)),
    "a sticker": Utterance(kind="sticker"),
    "a sticker that says yes": Utterance(kind="sticker", sticker_ok=True),
    "a picture": Utterance(kind="media", media="image"),
    "a place": Utterance(kind="location"),
    "an old button": Utterance(kind="button", button="2:yes"),
    "a strange button": Utterance(kind="button", button="こんにちは:::"),
    "a card's details": Utterance(kind="button", button="!card:juukyo-kakuho-kyufukin"),
    "the details of nothing": Utterance(kind="button", button="!card:nothing"),
    "an unknown word of ours": Utterance(kind="button", button="!no-such"),
    "a language": Utterance(parts=(Part(ref="m2", text="English"),)),
    "nothing but dots": Utterance(parts=(Part(ref="m2", text="…"),)),
    "no words at all": Utterance(),
    "a new worry": Utterance(parts=(Part(ref="m2", text="子どもが学校に行けていません"),)),
    "a long text": Utterance(parts=(Part(ref="m2", text="困っています。" * 120),)),
    "several messages": Utterance(parts=(Part(ref="m2", text="あの"), Part(ref="m3", text="家賃が"), Part(ref="m4", text="払えません"))),
    "a follow": Utterance(kind="follow"),
}


@pytest.mark.parametrize("night", [False, True], ids=["day", "night"])
@pytest.mark.parametrize("at", sorted(STEPS))
def test_every_waiting_step_answers_everything(town, at, night):
    scene = Scene(now=HOLIDAY_NIGHT if night else TUESDAY_MORNING, open_case="A-1" if at.startswith("handoff") else None)
    for name, said in ACTS.items():
        turn = step(waiting_at(at, town).model_copy(update={"last_at": scene.now - timedelta(minutes=5)}), said, scene, town)
        assert isinstance(turn, Turn), name
        assert keeps_limits(turn), f"{at}, {name}: {[reply.text for reply in turn.replies]} {[button.label for button in turn.buttons]}"
        assert asks_one_thing(turn), f"{at}, {name}: {[reply.text for reply in turn.replies]}"
        assert turn.replies or turn.ends_as in ("acknowledged", "noise"), f"{at}, {name}: silence"
        assert f"{turn.session.flow}.{turn.session.step}" in {*STEPS, "resume.ask"}, f"{at}, {name}"


@pytest.mark.parametrize("at", sorted(STEPS))
def test_every_waiting_step_survives_a_long_silence(town, at):
    session = waiting_at(at, town)
    later = Scene(now=TUESDAY_MORNING + timedelta(hours=2), open_case="A-1")
    turn = step(session, Utterance(parts=(Part(ref="m2", text="まだいます"),)), later, town)
    assert turn.replies
    assert keeps_limits(turn)


@pytest.mark.parametrize("at", sorted(STEPS))
def test_every_waiting_step_is_stored_and_read_again_unchanged(town, at):
    session = waiting_at(at, town)
    assert Session.model_validate_json(session.model_dump_json(exclude_defaults=True)) == session
    assert json.loads(session.model_dump_json())["version"] == 1


def test_each_consent_can_be_taken_back_by_itself(town):
    kept = Kept(messages=4, consents=(GivenConsent(id="c1", recipient="くらしの相談", purpose="consult"),))
    person = Resident(town, scene={"kept": kept}).begins().says("同意を取り消したい")
    assert len(person.buttons) == 2
    person.does(Utterance(kind="button", button=person.turn.buttons[0].value))
    assert person.effect_names == ["withdraw_consent"]


# ---------------------------------------------------------------- random talks

SAYINGS = (
    "家賃が払えなくて困ってます", "なんかもう、どうしたらいいかわからなくて", "2", "１", "いちばん", "はい", "いいえ", "ちがう", "もどる", "やめる",
    "最初から", "人と話す", "たすけて", "39歳", "要介護じゃないし障害でもないと言われた。どこも対象外でした", "渡す", "どれでもない",
    "隣のおばあさん、最近見かけない。新聞がたまってる", "何か役に立ちたいです", "わからない", "データを消して", "ばか", "ありがとう", "こんにちは",
    "I can't pay my rent and I lost my job", "我想离婚，孩子怎么办", "母の物忘れが心配です。仕事も辞めました。お金もありません", "民生委員です",
    "😀", "", "English", "日本語", "名前は山田です", "090-0000-0000", "同じことを何回も聞く" * 30, "👍🏽\u200d\ufe0f{lines}", "{", "%s \\ <b>",
)  # fmt: skip
DANGERS = (
    NO_DANGER, NO_DANGER, NO_DANGER, NO_DANGER, NO_DANGER, NO_DANGER,
    Danger(level="L1", kinds=("suicide",), rule="bare", said="限界"),
    Danger(level="L1", kinds=("medical_emergency",), rule="unsure", said="熱", who="family"),
    Danger(level="L2", kinds=("suicide",), rule="wish", said="死にたい"),
    Danger(level="L2", kinds=("partner_violence",), rule="hits", said="なぐる"),
    Danger(level="L2", kinds=("no_food_or_shelter",), rule="food", said="食べるもの"),
    Danger(level="L3", kinds=("medical_emergency",), rule="body", said="息してない"),
)  # fmt: skip

texts = st.sampled_from(SAYINGS) | st.text(max_size=60)
acts = st.one_of(
    st.tuples(st.just("says"), texts, st.sampled_from(DANGERS)),
    st.tuples(st.just("presses"), st.integers(0, 5), st.none()),
    st.tuples(st.just("sends"), st.sampled_from(["sticker", "ok", "media", "location", "follow", "old"]), st.none()),
)
walks = st.lists(st.tuples(acts, st.integers(1, 4000)), min_size=1, max_size=14)
scenes = st.fixed_dictionaries(
    {
        "staffed": st.booleans(),
        "waiting": st.integers(0, 30),
        "channel": st.sampled_from(["web", "line", "telegram"]),
        "open_case": st.sampled_from([None, "A-1"]),
    }
)


@cache
def _held() -> dict[str, flows.Town]:
    return {}


@pytest.fixture(autouse=True)
def _town_at_hand(town):
    _held()["town"] = town


def walk(town: flows.Town, steps: list[tuple[tuple[str, object, Danger | None], int]], scene: dict[str, object], night: bool) -> list[Turn]:
    """A random talk, turn by turn."""
    person = Resident(town, at=HOLIDAY_NIGHT if night else TUESDAY_MORNING, scene=dict(scene))
    turns = []
    for (act, what, danger), seconds in steps:
        person.at += timedelta(seconds=seconds)
        match act:
            case "says":
                person.says(str(what), danger=danger or NO_DANGER)
            case "presses":
                pressable = [button for button in person.turn.buttons if button.value]
                payload = pressable[int(str(what)) % len(pressable)].value if pressable else "1:nothing"
                person.does(Utterance(kind="button", button=payload))
            case _:
                person.does(_sent(str(what)))
        turns.append(person.turn)
    return turns


def _sent(what: str) -> Utterance:
    match what:
        case "sticker" | "ok":
            return Utterance(kind="sticker", sticker_ok=what == "ok")
        case "media":
            return Utterance(kind="media", media="image")
        case "location":
            return Utterance(kind="location")
        case "follow":
            return Utterance(kind="follow")
    return Utterance(kind="button", button="0:yes")


gently = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@gently
@given(walks, scenes, st.booleans())
def test_a_random_talk_never_fails_and_keeps_the_limits(steps, scene, night):
    for turn in walk(_held()["town"], steps, scene, night):
        assert keeps_limits(turn), [reply.text for reply in turn.replies] + [button.label for button in turn.buttons]
        assert len(turn.session.back) <= 6
        assert len(turn.session.model_dump_json().encode()) < 200_000


@gently
@given(walks, scenes, st.booleans())
def test_the_same_bubble_never_comes_twice_running(steps, scene, night):
    before: set[str] = set()
    for turn in walk(_held()["town"], steps, scene, night):
        said = {reply.text for reply in turn.replies if reply.text}
        assert said.isdisjoint(before), said & before
        before = said


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(walks, scenes, st.booleans())
def test_replaying_a_talk_gives_the_same_turns(steps, scene, night):
    assert walk(_held()["town"], steps, scene, night) == walk(_held()["town"], steps, scene, night)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(walks, scenes, st.booleans())
def test_danger_is_always_answered_with_a_case_and_an_alarm(steps, scene, night):
    town = _held()["town"]
    turns = walk(town, steps, scene, night)
    for ((act, _, danger), _), turn in zip(steps, turns, strict=True):
        if act == "says" and danger is not None and danger.level in ("L2", "L3"):
            assert {"open_case", "raise_alarm"} <= {effect.effect for effect in turn.effects}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_any_text_may_be_asked_for_a_word_of_everywhere(text):
    assert flows.is_everywhere_word(text) in (True, False)
