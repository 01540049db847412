"""What a coordinator does around a case that the resident hears of, or a colleague: consent cards, passing on, opening again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from sqlmodel import Session as Rows

import flows
from bot import told
from bot.channels.port import Outgoing
from bot.clock import JST
from bot.desk.acts import NotNow, Unreachable, open_now, perform, speak
from bot.parts import Parts
from flows.gap import REASONS
from knowledge.days import is_holiday
from storage import consents, desk_cases, desk_heads, gaps, outbox, records, referrals
from storage import talk as talks
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.referrals import NEEDS_REASON, Ground, Item, ReferralState
from storage.text import clean

SILENT_DAYS = 8
"""Working days without a word after which a referral is 要確認 (desk.md §3)."""


def refer(
    rows: Rows, viewer: Viewer, case: CaseHead, *, recipient: str, purpose: str, items: Sequence[Item], ground: Ground, until: date, now: datetime
) -> str:  # fmt: skip
    """つなぐ: an office with accounts of this name sees the items until the end of `until`; silence is looked at after 8 working days."""
    agency = next((known for known, name in referrals.agencies(rows) if name == recipient), None)
    due = datetime.combine(working_days_after(now.astimezone(JST).date(), SILENT_DAYS), time(17), JST)
    made = referrals.refer(
        rows, viewer, case, recipient=clean(recipient), agency_id=agency, purpose=clean(purpose), items=items, ground=ground, due_at=due,
        until=datetime.combine(until + timedelta(days=1), time(), JST), now=now,
    )  # fmt: skip
    talk = talks.by_id(rows, case.conversation_id)
    if talk is not None:
        records.promise(rows, talk, kind="referral_silent", due_at=due, case_id=case.id)
    return made


def note_why_not(rows: Rows, referral_id: str, state: ReferralState, ticked: Sequence[str], wish: str, now: datetime) -> None:
    """A referral that was refused, or broken off for a reason that was told, is a gap: counted with the case's first topic, without the person.

    `wish`: what would have helped, as the office wrote it.
    """
    told = tuple(known for known in REASONS if known in ticked or (known == "refused_by_office" and state == "refused"))
    if told and state in NEEDS_REASON:
        gaps.note(rows, reasons=told, domain=gaps.topic_behind(rows, referral_id), source="referral", now=now, wish=wish)


def working_days_after(day: date, many: int) -> date:
    """The day `many` working days later: no weekend, no national holiday."""
    while many:
        day += timedelta(days=1)
        many -= day.weekday() < 5 and not is_holiday(day)
    return day


async def ask_consent(
    parts: Parts, viewer: Viewer, code: str, *, recipient: str, items: list[str], days: int, expected: int
) -> None:  # fmt: skip
    """Send the resident a card: may these things be told to this office? Only by whoever holds the case; the recipient of the card is fixed now."""

    def work(rows: Rows, now: datetime) -> str:
        held = desk_cases.in_hand(rows, viewer, code, expected=expected)
        if not held.talk.reachable:
            raise Unreachable
        if held.talk.hidden_address and not open_now(rows, held.talk, now):
            raise NotNow
        case = desk_heads.head(rows, viewer, code)
        asked = consents.ask(rows, viewer, case, recipient=clean(recipient), items=[clean(item) for item in items], days=days, now=now)
        bubbles, buttons = flows.may_we_tell(told.session_of(held.talk), parts.knowledge.town, asked, recipient, items)
        outgoing = Outgoing(bubbles=bubbles, buttons=buttons, speaker=viewer.name)
        body = outgoing.model_dump_json(exclude_defaults=True)
        talk, line = talks.add_line(rows, held.talk, author="staff", kind="text", body=body, now=now, staff_id=viewer.staff_id)
        bodies = [part.model_dump_json(exclude_defaults=True) for part in parts.doorman.split_of(talk.channel)(outgoing)]
        outbox.write(rows, talk, bodies, now=now, line=line)
        consents.carried_by(rows, asked, line.seq)
        talks.save(rows, talk, now)
        return desk_cases.replied(rows, viewer, replace(held, talk=talk), line, now).talk.id

    await perform(parts, viewer, "ask_consent", work)


async def write_down_consent(parts: Parts, viewer: Viewer, code: str, *, recipient: str, items: list[str], days: int) -> None:
    """A yes that was heard by telephone or face to face."""

    def work(rows: Rows, now: datetime) -> str:
        case = desk_heads.head(rows, viewer, code)
        talk = talks.by_id(rows, case.conversation_id)
        if talk is not None:
            given = [clean(item) for item in items]
            consents.write_down(rows, viewer, case, talk, recipient=clean(recipient), items=given, days=days, now=now)
        return case.conversation_id

    await perform(parts, viewer, "write_down_consent", work)


async def pass_on(parts: Parts, viewer: Viewer, code: str, *, to: str, to_name: str, words: str, expected: int, tell: bool) -> None:
    """ほかの人に渡す: a memo for the colleague, and the new name once for the resident (8f)."""

    def work(rows: Rows, now: datetime) -> str:
        held = desk_cases.in_hand(rows, viewer, code, expected=expected)
        if words:
            desk_cases.add_note(rows, viewer, code, clean(words), now)
        if tell and held.talk.reachable:
            sentence = flows.other_coordinator(told.session_of(held.talk), parts.knowledge.town, viewer.name, to_name)
            held = speak(parts, rows, viewer, held, sentence, now=now, safe_now=False)
        return desk_cases.pass_on(rows, viewer, held, to, now).talk.id

    await perform(parts, viewer, "pass_on", work)


async def reopen(parts: Parts, viewer: Viewer, code: str) -> None:
    """もう一度ひらく."""
    await perform(parts, viewer, "reopen", lambda rows, now: desk_cases.reopen(rows, viewer, code, now).talk.id)

