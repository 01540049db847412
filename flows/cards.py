"""Service cards, worded in the resident's language: why it came, who runs it, when it is open, its number, when it was checked (G6, G8)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from flows import moments
from flows.because import in_own_words
from flows.filling import Town, line_in_words
from flows.letters import room, shortened
from flows.model import Button, Card, Reply, Scene, Session, Utterance
from flows.talk import Talk
from knowledge.calendar import is_full, next_with_room
from knowledge.entry import Contact, Entry
from knowledge.hearing.model import DangerKind, Hearing, Lang
from knowledge.hours import next_meeting, opening

MOST_CARDS: Final = 3
LONGEST_TITLE: Final = 40
LONGEST_LINE: Final = 80
_LONGEST_BUBBLE: Final = 80
_OLD_DAYS, _TOO_OLD_DAYS = 180, 365
_WHOLE_TOWN: Final = "全域"
_NO_SIGN: Final[frozenset[DangerKind]] = frozenset({"suicide", "self_harm", "medical_emergency", "fire_disaster", "no_food_or_shelter"})
"""Dangers in which nobody harms another."""

Why = Mapping[str, Sequence[str]]
Fact = Literal["hours", "place", "cost", "how", "tel"]


def why_of(hearing: Hearing) -> dict[str, tuple[str, ...]]:
    """The resident's own words that led to each service."""
    found: dict[str, tuple[str, ...]] = {}
    for need in hearing.needs:
        for match in need.services:
            found.setdefault(match.id, match.why)
    return found


def gently(talk: Talk, ids: Iterable[str]) -> tuple[str, ...]:
    """Best first, without what accuses or frightens (`after_a_sign`, domains.yaml) a writer who gave no sign of it; what fits best always stays."""
    if not _NO_SIGN.issuperset(talk.session.danger.kinds):
        return tuple(ids)
    entries, domains = talk.town.base.entries, talk.town.base.domains

    def accuses(one: str) -> bool:
        home = domains.get(entries[one].domain or "") if one in entries else None
        return home is not None and home.after_a_sign

    return tuple(one for place, one in enumerate(ids) if place == 0 or not accuses(one))


def cards(talk: Talk, ids: Iterable[str], why: Why, reason: str = "card.reason") -> tuple[Card, ...]:
    """At most three cards; services that no longer exist or are not valid now are left out (I7)."""
    entries = talk.town.base.entries
    valid = [entries[one] for one in dict.fromkeys(ids) if one in entries and entries[one].shown_on(talk.scene.now.date())]
    return tuple(card(talk, entry, why.get(entry.id, ()), reason) for entry in valid[:MOST_CARDS])


def card(talk: Talk, entry: Entry, why: Sequence[str], reason: str = "card.reason") -> Card:
    """One service as a card."""
    contact = best_contact(entry, talk.session.area)
    return Card(
        id=entry.id,
        title=shortened(name_of(entry, talk.session.lang), LONGEST_TITLE),
        reason=_reason(talk, why, reason),
        lines=tuple(shortened(line, LONGEST_LINE) for line in _lines(talk, entry, contact) if line),
        buttons=tuple(_buttons(talk, entry, contact)),
    )


def preview(entry: Entry, lang: Lang, scene: Scene, town: Town) -> tuple[Card, tuple[Reply, ...]]:
    """A card and its くわしく as a resident would see them, for whoever edits the entry (desk.md §4)."""
    talk = Talk(Session(lang=lang, consented=1), Utterance(), scene, town)
    return card(talk, entry, ()), details(talk, entry)


def needs_area(entry: Entry) -> bool:
    """Only district offices, several of them: which one is right depends on where somebody lives (D2c)."""
    return len(entry.contacts) > 1 and all(contact.area and _WHOLE_TOWN not in contact.area for contact in entry.contacts)


def best_contact(entry: Entry, area: str | None) -> Contact | None:
    """The contact for a district; without one the contact for the whole town, never another district's."""
    if area:
        for contact in entry.contacts:
            if any(area in served or served in area for served in contact.area if served != _WHOLE_TOWN):
                return contact
    whole = [contact for contact in entry.contacts if not contact.area or _WHOLE_TOWN in contact.area]
    if whole:
        return whole[0]
    return entry.contacts[0] if len(entry.contacts) == 1 else None


def all_closed(talk: Talk, ids: Sequence[str]) -> datetime | None:
    """When the first of these opens, if every one is known to be closed now; None otherwise (D2b)."""
    openings = []
    for one in ids:
        entry = talk.town.base.entries.get(one)
        contact = best_contact(entry, talk.session.area) if entry else None
        offices = (contact,) if contact else entry.contacts if entry else ()
        if entry is not None and not offices:
            continue  # nobody can be reached there anyway
        if not offices or any(office.hotline is not None for office in offices):
            return None
        openings += [opening(office, talk.scene.now) for office in offices]
    times = [found.opens_at for found in openings if found.open_now is False and found.opens_at is not None]
    return min(times) if times and len(times) == len(openings) else None


def name_of(entry: Entry, lang: Lang) -> str:
    """The name in a language, else the Japanese one."""
    translation = entry.translations.get(lang)
    return translation.name if translation and translation.name else entry.name


def summary_of(entry: Entry, lang: Lang) -> str:
    translation = entry.translations.get(lang)
    return translation.summary if translation and translation.summary else entry.summary


def details(talk: Talk, entry: Entry) -> tuple[Reply, ...]:
    """くわしく: what it is, how to go about it, for whom, what to bring. What nobody checked is marked; no Japanese in another language."""
    lang = talk.session.lang
    name = shortened(name_of(entry, lang), 34)
    said = [talk.says("details.what", name=name, summary=shortened(summary_of(entry, lang), int(_LONGEST_BUBBLE - 4 - room(name))))]
    if how := _how(entry, lang):
        said.append(talk.says("details.how", how=shortened(how, 66) + _unverified(talk, entry, "how")))
    facts = [talk.says("details.who", text=shortened(who, 60) + _unverified(talk, entry, "who"))] if (who := _who(entry, lang)) else []
    if entry.bring and lang in ("ja", "easy"):
        facts.append(talk.says("details.bring", text=shortened("・".join(entry.bring), 44) + _unverified(talk, entry, "bring")))
    said += _in_one_bubble(facts)
    return tuple(said) if len(said) > 1 else (*said, talk.says("details.ask"))


def fact(talk: Talk, entry: Entry, about: Fact) -> str | None:
    """One fact of a service, as somebody asks for it; None when nobody wrote it down."""
    contact = best_contact(entry, talk.session.area)
    match about:
        case "tel":
            return _tel(entry, contact, talk.town)
        case "place":
            return None if contact is None else contact.place.address or _map(contact)
        case "cost":
            return _price(talk, entry)
        case "how":
            how = _how(entry, talk.session.lang)
            return how and how + _unverified(talk, entry, "how")
        case "hours" if contact is not None and contact.hotline is not None:
            return " ".join(_hotline(talk, contact.hotline))
        case "hours":
            return moments.weekly(contact.hours, talk.town.words(talk.session.lang).clock) if contact is not None else None


def _in_one_bubble(facts: Sequence[Reply]) -> list[Reply]:
    """Two facts share a bubble while it stays short enough for a phone (G2); else only the first is said."""
    both = "\n".join(fact.text for fact in facts)
    return [Reply(text=both)] if facts and room(both) <= _LONGEST_BUBBLE else list(facts[:1])


def _who(entry: Entry, lang: Lang) -> str | None:
    translation = entry.translations.get(lang)
    return (translation and translation.who) or (entry.who.note if lang in ("ja", "easy") else None)


def _how(entry: Entry, lang: Lang) -> str | None:
    translation = entry.translations.get(lang)
    return (translation and translation.how) or (entry.how if lang in ("ja", "easy") else None)


# ---------------------------------------------------------------- the parts of a card


def _reason(talk: Talk, why: Sequence[str], key: str) -> str:
    words = in_own_words(talk, why)
    if not words:
        return talk.says(f"{key}.plain").text
    clock = talk.town.words(talk.session.lang).clock
    return talk.says(key, why=clock["space"].join(clock["quote"].replace("{text}", word) for word in words)).text


def _lines(talk: Talk, entry: Entry, contact: Contact | None) -> Iterator[str]:
    yield summary_of(entry, talk.session.lang)
    yield _who_runs_it(talk, entry, contact)
    yield from _meeting(talk, entry)
    if contact is None:
        tel = _tel(entry, contact, talk.town)
        yield talk.says("card.tel", tel=tel).text if tel else talk.says("card.no_contact").text
    elif contact.hotline is not None:
        yield from _hotline(talk, contact.hotline)
    else:
        yield _opening(talk, contact)
        yield talk.says("card.tel", tel=contact.tel).text if contact.tel else talk.says("card.no_tel").text
        yield _languages(talk, contact)
    yield _checked(talk, entry)


def _who_runs_it(talk: Talk, entry: Entry, contact: Contact | None) -> str:
    """Name of the office and the price; a price nobody checked is marked."""
    lang, clock = talk.session.lang, talk.town.words(talk.session.lang).clock
    who = contact.name if contact and contact.name else clock["and"].join(entry.provider[:2]) if lang in ("ja", "easy") else ""
    return clock["and"].join(part for part in (who, _price(talk, entry)) if part)


def _price(talk: Talk, entry: Entry) -> str:
    if not entry.cost:
        return ""
    if entry.cost == "無料":
        said = talk.town.words(talk.session.lang).clock["free"]
    else:
        said = entry.cost if talk.session.lang in ("ja", "easy") else talk.says("card.cost_ask").text
    return said + _unverified(talk, entry, "cost")


def _unverified(talk: Talk, entry: Entry, field: str) -> str:
    clock = talk.town.words(talk.session.lang).clock
    return clock["brackets"].replace("{text}", clock["unknown"]) if field in entry.unverified else ""


def _opening(talk: Talk, contact: Contact) -> str:
    """Open until, closed until, or not known."""
    found, words = opening(contact, talk.scene.now), talk.town.words(talk.session.lang).clock
    if found.open_now is None:
        return talk.says("card.hours_unknown").text
    if found.open_now:
        return talk.says("card.open_until", time=moments.clock_time(found.closes_at, words)).text if found.closes_at else talk.says("card.open").text
    if found.opens_at is None:
        return talk.says("card.closed").text
    return talk.says("card.closed_until", moment=moments.when(found.opens_at, talk.scene.now, words)).text


def _hotline(talk: Talk, hotline_id: str) -> Iterator[str]:
    """A national line: its number, its hours as far as they are confirmed."""
    hotline, lang = talk.town.line(hotline_id), talk.session.lang
    if hotline is None:
        yield talk.says("card.no_tel").text
        return
    if hotline.known_hours is None:
        yield talk.says("card.hours_unknown").text
    elif not hotline.always_open and lang in ("ja", "easy"):
        yield talk.says("card.hours", hours=shortened(hotline.known_hours, 60)).text
    yield line_in_words(hotline_id, lang, talk.town)


def _meeting(talk: Talk, entry: Entry) -> Iterator[str]:
    """The next meeting of a place or an activity; where it is full, the next one with a place left."""
    words, now = talk.town.words(talk.session.lang).clock, talk.scene.now
    days = [(day, event) for event in entry.events if (day := next_meeting(event, now)) is not None]
    if not days:
        return
    day, event = min(days, key=lambda found: found[0])
    hour = f" {event.from_}" if event.from_ else ""
    yield talk.says("card.next_meeting", date=moments.day_name(day, now, words) + hour, place=shortened(event.place or "", 30)).text
    if is_full(event, day):
        free = min((room_on for one in entry.events if (room_on := next_with_room(one, now)) is not None), default=None)
        yield talk.says("card.full_until", date=moments.day_name(free, now, words)).text if free else talk.says("card.full").text


def _languages(talk: Talk, contact: Contact) -> str:
    """An interpreter is promised only if the card lists the language (D12)."""
    lang = talk.session.lang
    return talk.says("card.interpreter").text if lang not in ("ja", "easy") and lang in contact.languages else ""


def _checked(talk: Talk, entry: Entry) -> str:
    """確認日, and what an old one means."""
    on = entry.checked.on
    if on is None:
        return talk.says("card.unchecked").text
    age = (talk.scene.now.date() - on).days
    if age > _TOO_OLD_DAYS:
        return talk.says("card.checked_too_old", year=str(on.year), month=str(on.month)).text
    if age > _OLD_DAYS:
        return talk.says("card.checked_old", year=str(on.year), month=str(on.month)).text
    return talk.says("card.checked", date=on.isoformat()).text


def _buttons(talk: Talk, entry: Entry, contact: Contact | None) -> Iterator[Button]:
    tel = _tel(entry, contact, talk.town)
    if tel:
        yield Button(label=talk.town.label("call", talk.session.lang), tel=tel)
    if contact is not None and (url := _map(contact)):
        yield Button(label=talk.town.label("map", talk.session.lang), url=url)
    yield Button(label=talk.town.label("details", talk.session.lang), value=f"!card:{entry.id}")


def _tel(entry: Entry, contact: Contact | None, town: Town) -> str | None:
    """The number to call; where only districts have one and none is known, the town's own (2c)."""
    if contact is None:
        return town.base.town.tel if entry.contacts else None
    if contact.hotline is None:
        return contact.tel
    line = town.line(contact.hotline)
    return line.number if line else None


def _map(contact: Contact) -> str | None:
    place = contact.place
    if place.url:
        return place.url
    return f"https://maps.google.com/?q={place.lat},{place.lon}" if place.lat is not None and place.lon is not None else None
