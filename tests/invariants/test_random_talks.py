"""Whatever residents and staff do, in whatever order: I3, I4, I6 and I8 (design.md §2)."""

import json
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session

from storage import talk as talks
from storage.sealing import unseal
from storage.talk import scope_of
from tests.town import Coordinator, Resident, Town

HARMLESS = (
    "家賃が払えなくて困っています", "父が来週退院します", "子どもが学校に行けません", "はい", "いいえ", "1", "2", "ちがう", "もどる", "最初から",
    "人と話したい", "やめる", "たすけて", "…", "ありがとう", "English", "母のことです", "あああああ", "データを消して",
)  # fmt: skip
DANGERS = ("もう死にたい", "いま薬を全部飲んだ", "夫に殴られています")
ENDINGS = {"answered", "queued", "acknowledged", "noise"}

Act = tuple[Literal["says", "danger", "taps", "sticker", "picture", "again", "unsends", "claims", "replies", "hands back", "closes", "waits"], int]
_RESIDENTS: tuple[str, ...] = ("says", "says", "says", "danger", "taps", "taps", "taps", "sticker", "picture", "again", "unsends")
_STAFFS: tuple[str, ...] = ("claims", "replies", "hands back", "closes", "waits")
acts = st.lists(st.tuples(st.sampled_from(_RESIDENTS + _STAFFS), st.integers(0, 60)), min_size=6, max_size=16)


@dataclass
class Walk:
    """One resident's walk through the product, and what must stay true on it."""

    town: Town
    resident: Resident
    coordinator: Coordinator
    urgency: dict[str, int] = field(default_factory=dict)
    last: str = ""

    def does(self, act: str, number: int) -> None:
        human_owned, before = self.resident.owner == "human", self.bot_lines()
        match act:
            case "says":
                self.says(HARMLESS[number % len(HARMLESS)])
            case "danger":
                self.says(DANGERS[number % len(DANGERS)])
            case "taps":
                self.taps(number)
            case "sticker":
                self.resident.sends_sticker()
            case "picture":
                self.resident.sends_picture()
            case "again":
                self.says(self.last or "はい", again=True)
            case "unsends":
                self.unsends()
            case "waits":
                self.town.passes(minutes=number * 3)
            case _:
                self.staff(act)
        if human_owned and act in ("says", "taps", "sticker", "picture", "unsends", "replies", "claims"):
            assert self.bot_lines() == before, f"the bot spoke while a human owned the talk, after {act}"
        self.holds()

    # ------------------------------------------------------------ acts

    def says(self, words: str, *, again: bool = False) -> None:
        webhook = self.town.line.text(self.resident.account, words)
        for one in [webhook, self.town.line.redelivered(webhook)] if again else [webhook]:
            assert self.town.http.post("/line/webhook", content=one.body, headers=one.headers).status_code == 200
        self.town.rests()
        self.last = words

    def taps(self, number: int) -> None:
        """Any button that was ever shown: of the open question, or an old one."""
        shown = [button for bubble in self.resident.all_heard() for button in bubble.buttons if button.payload is not None]
        if shown:
            webhook = self.town.line.press(self.resident.account, shown[-1 - number % len(shown)])
            assert self.town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
            self.town.rests()

    def unsends(self) -> None:
        event = self.town.line.text_event(self.resident.account, "取り消す前の言葉です")
        for webhook in (self.town.line.webhook(event), self.town.line.unsend(self.resident.account, event["message"]["id"])):
            assert self.town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
            self.town.rests()

    def staff(self, act: str) -> None:
        opened = self.town.rows("SELECT code, state FROM care_case WHERE conversation_id = :id AND state <> 'closed'", id=self.resident.conversation)
        if not opened:
            return
        code, state = opened[0].code, opened[0].state
        if act == "claims" and state != "held":
            self.coordinator.claims(code)
        elif state == "held" and self.resident.owner == "human":
            match act:
                case "replies":
                    self.coordinator.replies(code, "佐藤です。読みました。")
                case "hands back":
                    self.coordinator.hands_back(code)
                case "closes":
                    self.coordinator.closes(code)

    # ------------------------------------------------------------ what must hold

    def bot_lines(self) -> int:
        return int(
            self.town.rows("SELECT count(*) AS n FROM message WHERE conversation_id = :id AND author = 'bot'", id=self.resident.conversation)[0].n
        )

    def holds(self) -> None:
        states = {row.state for row in self.town.rows("SELECT state FROM inbox")}
        assert states <= ENDINGS, "I4: every message ends as exactly one"
        opened = self.town.rows("SELECT code, urgency, state FROM care_case WHERE conversation_id = :id", id=self.resident.conversation)
        assert len([one for one in opened if one.state != "closed"]) <= 1, "I6: one open hand-off"
        for one in opened:
            assert one.urgency >= self.urgency.get(one.code, 0), "I6: urgency only rises"
            self.urgency[one.code] = one.urgency
        assert self.town.store.transact(self.sources_hold), "I8: what was said leads to a message of this talk"
        assert self.town.line.violations == []
        assert not self.town.rows("SELECT id FROM outbox WHERE state NOT IN ('sent', 'cancelled')"), "everything that could leave has left"

    def sources_hold(self, rows: Session) -> bool:
        talk = talks.by_id(rows, self.resident.conversation_in(rows))
        assert talk is not None
        known = {line.id for line in talks.lines(rows, talk.id)}
        found = rows.execute(text("SELECT id, version, sheet_sealed FROM care_case WHERE conversation_id = :id"), {"id": talk.id}).all()
        sheets = [json.loads(unseal(rows, scope_of(talk.id), f"care_case.sheet:{row.id}:{row.version}", row.sheet_sealed)) for row in found]
        return all(set(line["refs"]) <= known for sheet in sheets for line in sheet)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True)
@given(walk=acts, with_human=st.booleans())
def test_no_walk_breaks_a_rule(either_town: Town, walk: list[Act], with_human: bool) -> None:
    town = either_town
    if not town.rows("SELECT id FROM staff"):
        town.coordinator("当番")
    sato = town.coordinator(f"佐藤{town.rows('SELECT count(*) AS n FROM staff')[0].n}")
    one = Walk(town, town.resident_on("line"), sato)
    if with_human:
        one.does("says", HARMLESS.index("人と話したい"))
        one.does("claims", 0)
    for act, number in walk:
        one.does(act, number)
