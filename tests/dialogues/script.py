"""The language of the dialogue scripts, and the one that plays them. A counsellor can read and write a script; see README.md beside.

A script is a YAML file of steps, played from top to bottom on every channel:

    - U: 家賃が払えない          the resident writes
    - tap: このまま続ける         the resident presses (or types) this button
    - B: 読みました              the bot's answer holds these words (several: in this order)
    - not: 受けられます          … and nowhere these
    - buttons: [A, B]           exactly these are offered
    - card: chiiki-houkatsu     a card of this entry came (first_card: above all others; card_any: one of these; no_card: true)
    - silent: true              nobody said anything
    - staff: takes              a coordinator takes the case
    - C: はじめまして            the coordinator writes
    - time: 15 minutes          time passes
    - update: chiiki-houkatsu   a newer base without this entry is in use; or, of a step, newer flows that no longer know it (consult.gone)
    - receipt: 消しました          writes the receipt number just heard; the answer holds these words
    - N: {…}                    what is so inside (see `_inside`)
"""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import text
from sqlmodel import Session

import flows
from flows.model import Session as FlowSession
from knowledge.entry import Entry
from storage import helping
from storage import talk as talks
from storage.sealing import unseal, unseal_json
from storage.talk import scope_of
from tests.town import Coordinator, Resident, Town

HERE = Path(__file__).parent
_UNITS = {"second": "seconds", "minute": "minutes", "hour": "hours", "day": "days"}


def scripts() -> list[Path]:
    """All scripts, in the order of their names."""
    return sorted(HERE.rglob("*.yaml"))


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _names(entry: Entry) -> list[str]:
    """What a card of this entry may be headed with, in every language."""
    return [entry.name, *(told.name for told in entry.translations.values() if told.name)]


class Player:
    """Plays one script on one channel."""

    def __init__(self, town: Town, resident: Resident) -> None:
        self.town = town
        self.resident = resident
        self.coordinator: Coordinator | None = None

    def play(self, steps: list[dict[str, Any]]) -> None:
        for number, step in enumerate(steps, start=1):
            ((act, given),) = step.items()
            try:
                self._step(act, given)
            except (AssertionError, LookupError) as problem:
                told = f"step {number} ({act}: {given})\n{problem}\nheard:\n{self.resident.hears()}\nbuttons: {self.resident.buttons()}"
                raise AssertionError(told) from problem

    def _step(self, act: str, given: Any) -> None:
        match act:
            case "U":
                self.resident.says(given)
            case "tap":
                self.resident.taps(given)
            case "sticker":
                self.resident.sends_sticker()
            case "picture":
                self.resident.sends_picture()
            case "B":
                self._holds_in_order(given if isinstance(given, list) else [given])
            case "not":
                for words in given if isinstance(given, list) else [given]:
                    assert words not in self.resident.hears(), f"must not be said: {words}"
            case "buttons":
                assert self.resident.buttons() == given
            case "offers":
                missing = [label for label in ([given] if isinstance(given, str) else given) if label not in self.resident.buttons()]
                assert not missing, f"not offered: {missing}"
            case "card" | "card_any":
                self._has_card([given] if isinstance(given, str) else given)
            case "first_card":
                self._begins_with(given)
            case "receipt":
                found = re.search(r"[2-9A-Z]-[2-9A-Z]{3}", self.resident.hears())
                assert found, "no receipt was given"
                self.resident.says(found[0])
                self._holds_in_order([given])
            case "no_card":
                assert not self.resident.cards()
            case "silent":
                assert self.resident.hears_nothing(), "somebody spoke"
            case "staff":
                self._staff(given)
            case "C":
                self.resident.listens()
                self._at_desk().replies(self.resident.case, given)
            case "note":
                self.resident.listens()
                self._at_desk().notes(self.resident.case, given)
            case "time":
                self._passes(given)
            case "update":
                self._update(given)
            case "at":
                self.town.clock.stands_at(given)
            case "N":
                for what, wanted in given.items():
                    self._inside(what, wanted)
            case _:
                raise ValueError(f"unknown step: {act}")

    # ------------------------------------------------------------ what is heard

    def _holds_in_order(self, wanted: list[str]) -> None:
        heard, place = _plain(self.resident.hears()), 0
        for words in wanted:
            found = heard.find(_plain(words), place)
            assert found >= 0, f"not said (in this order): {words}"
            place = found + len(words)

    def _begins_with(self, entry_id: str) -> None:
        name = self.town.parts.knowledge.town.base.entries[entry_id].name
        cards = self.resident.cards()
        heads = [one.text.split("\n", 1)[0] for one in self.resident.heard()]
        first = cards[0].title if cards else next((head for head in heads if _same(name, head)), "")
        assert _same(name, first), f"the first card is {first!r}"

    def _has_card(self, ids: list[str]) -> None:
        entries = self.town.parts.knowledge.town.base.entries
        titles = {card.title for card in self.resident.cards()} | {bubble.text.split("\n", 1)[0] for bubble in self.resident.heard()}
        wanted = [name for entry_id in ids for name in _names(entries[entry_id])]
        assert any(_same(name, title) for name in wanted for title in titles), f"none of {wanted} in {titles}"

    # ------------------------------------------------------------ others

    def _at_desk(self) -> Coordinator:
        if self.coordinator is None:
            self.coordinator = self.town.coordinator("佐藤")
        return self.coordinator

    def _staff(self, act: str) -> None:
        self.resident.listens()
        match act:
            case "works here":
                self._at_desk()
            case "takes":
                self._at_desk().claims(self.resident.case)
            case "hands back":
                self._at_desk().hands_back(self.resident.case, "2026-11-26")
            case "closes well":
                self._at_desk().closes(self.resident.case, reason="settled", next_contact=None, words="また、いつでもどうぞ。")
            case "closes":
                self._at_desk().closes(self.resident.case, reason="settled", next_contact=None, words="")
            case _:
                raise ValueError(f"unknown act of staff: {act}")

    def _passes(self, written: str) -> None:
        found = re.fullmatch(r"(\d+) (second|minute|hour|day)s?", written)
        assert found, f"time is written as '15 minutes', not {written!r}"
        self.resident.listens()
        self.town.passes(**{_UNITS[found[2]]: int(found[1])})

    def _update(self, gone: str) -> None:
        """A newer base without an entry, or newer flows without the step at which the talk stands."""
        self.resident.listens()
        flow, _, step = gone.partition(".")
        if step:
            self.town.store.transact(lambda rows: self._stand_at(rows, flow, step))
        else:
            living = self.town.parts.knowledge
            entries = {name: entry for name, entry in living.town.base.entries.items() if name != gone}
            assert len(entries) < len(living.town.base.entries), f"no entry {gone}"
            living.town = flows.Town(replace(living.town.base, entries=entries, version="newer"), living.town.phrases)

    def _stand_at(self, rows: Session, flow: str, step: str) -> None:
        talk = talks.by_id(rows, self.resident.conversation_in(rows))
        assert talk is not None
        assert talk.flow_session, "nothing was said yet"
        stands = FlowSession.model_validate_json(talk.flow_session).model_copy(update={"flow": flow, "step": step})
        talks.save(rows, replace(talk, flow_session=stands.model_dump_json()), self.town.clock.now())

    # ------------------------------------------------------------ inside

    def _inside(self, what: str, wanted: Any) -> None:
        rows = self.town.rows
        if what == "gone":
            assert self.resident.is_known is not wanted
            return
        talk = self.resident.conversation
        match what:
            case "owner":
                assert self.resident.owner == wanted
            case "case":
                found = rows("SELECT state, urgency, reason FROM care_case WHERE conversation_id = :id AND state <> 'closed'", id=talk)
                assert bool(found) == (wanted is not False), f"cases: {found}"
                if isinstance(wanted, dict):
                    assert {key: getattr(found[0], key) for key in wanted} == wanted
            case "consent":
                found = [row.purpose for row in rows("SELECT purpose FROM consent WHERE conversation_id = :id", id=talk)]
                assert (wanted in found) if wanted else not found, f"consents: {found}"
            case "alarm":
                found = [row.level for row in rows("SELECT level FROM alarm WHERE conversation_id = :id", id=talk)]
                assert found[-1:] == ([wanted] if wanted else []), f"alarms: {found}"
            case "sheet":
                told = self.town.store.transact(lambda session: sheet_of_case(session, talk))
                missing = [words for words in wanted if words not in told]
                assert not missing, f"not on the sheet: {missing}; it says {told}"
            case "consent_holds":
                found = [row.purpose for row in rows("SELECT purpose FROM consent WHERE conversation_id = :id AND withdrawn_at IS NULL", id=talk)]
                assert (wanted in found) if wanted else not found, f"consents: {found}"
            case "household":
                told = self.town.store.transact(lambda session: household_of_case(session, talk))
                assert told == wanted, f"the household says {told}"
            case "task":
                found = [row.kind for row in rows("SELECT kind FROM task WHERE conversation_id = :id AND done_at IS NULL", id=talk)]
                assert (wanted in found) if wanted else not found, f"tasks: {found}"
            case "wish":
                found = rows("SELECT id FROM gap WHERE wish_sealed IS NOT NULL")
                assert bool(found) is wanted, f"wishes: {len(found)}"
                assert len(rows("SELECT id FROM gap")) == 1, "one need is counted once"
            case "offer":
                ends = self.town.store.transact(lambda session: helping.ends_at(session, talk, self.town.clock.now()))
                assert (ends is not None) is wanted, f"an offer holds until {ends}"
                words = self.town.store.transact(lambda session: words_of_offers(session, talk))
                assert any(words) is wanted, f"{len(words)} words of offers are kept"
            case "gap" | "outcome":
                of = "" if what == "gap" else " WHERE conversation_id = :id"
                values = {} if what == "gap" else {"id": talk}
                assert bool(rows(f"SELECT id FROM {what}{of}", **values)) is wanted
            case "promise":
                found = [row.kind for row in rows("SELECT kind FROM promise WHERE conversation_id = :id AND state = 'open'", id=talk)]
                assert (wanted in found) if wanted else not found, f"promises: {found}"
            case "hidden_address":
                assert bool(rows("SELECT hidden_address FROM conversation WHERE id = :id", id=talk)[0].hidden_address) is wanted
            case "held_words":
                found = rows("SELECT count(*) AS kept FROM message WHERE conversation_id = :id AND author = 'resident' AND body_sealed IS NOT NULL "
                             "AND kind = 'text'", id=talk)  # fmt: skip
                assert found[0].kept == wanted
            case "pending":
                assert rows("SELECT count(*) AS n FROM inbox WHERE conversation_id = :id AND state = 'pending'", id=talk)[0].n == wanted
            case _:
                raise ValueError(f"unknown inside: {what}")


def words_of_offers(session: Session, conversation_id: str) -> list[str]:
    """What is still stored of what somebody offered."""
    rows = session.execute(text("SELECT id, skill_sealed, when_sealed FROM offer WHERE conversation_id = :id"), {"id": conversation_id}).all()
    scope = scope_of(conversation_id)
    cells = [(f"offer.{cell}:{row.id}", sealed) for row in rows for cell, sealed in (("skill", row.skill_sealed), ("when", row.when_sealed))]
    return [unseal(session, scope, place, sealed) for place, sealed in cells]


def sheet_of_case(session: Session, conversation_id: str) -> str:
    """The lines of the hand-off sheet of the open case, one under the other."""
    query = text("SELECT id, version, sheet_sealed FROM care_case WHERE conversation_id = :id AND state <> 'closed'")
    row = session.execute(query, {"id": conversation_id}).one()
    cell = unseal(session, scope_of(conversation_id), f"care_case.sheet:{row.id}:{row.version}", row.sheet_sealed)
    return "\n".join(line["text"] for line in json.loads(cell))


def household_of_case(session: Session, conversation_id: str) -> dict[str, str]:
    """Who is in the household of the open case, by relation: what is known of their age."""
    query = text("SELECT h.id, h.version, h.body_sealed FROM household_member h JOIN care_case c ON c.id = h.case_id "
                 "WHERE c.conversation_id = :id AND h.removed_at IS NULL ORDER BY h.created_at, h.id")  # fmt: skip
    rows = session.execute(query, {"id": conversation_id}).all()
    scope = scope_of(conversation_id)
    people = [unseal_json(session, scope, f"household_member.body:{row.id}:{row.version}", row.body_sealed) for row in rows]
    return {person["relation"]: person["birth"] for person in people}


def _plain(words: str) -> str:
    return re.sub(r"\s+", "", words)


def _same(name: str, title: str) -> bool:
    """A card may shorten a long official name."""
    shown = title.rstrip("…")
    return name == title or name.startswith(shown) or shown.startswith(name.split("（", maxsplit=1)[0])
