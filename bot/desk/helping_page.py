"""支え手と手伝い: offers that hold, requests that are open, and what fits. The centre stands in between: nobody is given anybody's contact (D10)."""

import json
from datetime import datetime, time, timedelta

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot import posting, reception, told
from bot.channels.port import Outgoing
from bot.clock import JST
from bot.desk import access, pages, sheets
from bot.desk.access import Signed, TheParts
from bot.desk.acts import Unreachable
from bot.desk.sheets import Unfinished
from bot.hub import conversation
from bot.parts import Parts
from flows.kin import is_near, kin
from flows.model import Reply
from storage import audit, helping
from storage import talk as talks
from storage.desk_queue import Viewer
from storage.refusals import Missing
from storage.staff import SignedIn
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

_LONGEST = 200
_LONGEST_WORDS = 1000
_SOON_OVER = timedelta(days=14)


@router.get("/desk/helping")
async def page(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    """Everything, or what is near the words `q` (a goal of a plan: 参加支援)."""
    return await _page(request, parts, signed)


@router.post("/desk/helping")
async def act(request: Request, parts: TheParts, signed: Signed) -> Response:
    """Post or close a request; write to somebody who offered; renew or end an offer."""
    written = await access.fields(request, "act", "id", "title", "when", "place", "asked_by", "until", "words")
    viewer, now = access.viewer_of(signed), parts.clock.now()

    def work(rows: Rows) -> str | None:
        match written["act"]:
            case "ask":
                _ask(rows, viewer, written, now)
            case "close":
                helping.close(rows, viewer, [written["id"]], now)
            case "renew":
                helping.renew(rows, viewer, written["id"], now)
            case "end":
                helping.end(rows, viewer, written["id"], now)
            case "tell":
                return _tell(parts, rows, viewer, written["id"], sheets.words(written["words"], trouble="empty")[:_LONGEST_WORDS], now)
            case _:
                raise Missing
        return None

    try:
        talk_id = await parts.store.atransact(work)
    except Unfinished as unfinished:
        return await _page(request, parts, signed, why=unfinished.trouble, kept=written, status=422)
    if talk_id is not None:
        parts.delivery.wake(talk_id)
        parts.hub.wake(conversation(talk_id))
    return RedirectResponse("/desk/helping", status_code=303)


def _ask(rows: Rows, viewer: Viewer, written: dict[str, str], now: datetime) -> None:
    until = datetime.combine(sheets.needed_day(written["until"]) + timedelta(days=1), time(), JST)
    title, when, place, asked_by = (
        clean(sheets.words(written[name], trouble="empty" if name == "title" else None))[:_LONGEST] for name in ("title", "when", "place", "asked_by")
    )
    helping.ask(rows, viewer, title=title, when=when, place=place, asked_by=asked_by, until=until, now=now)


def _tell(parts: Parts, rows: Rows, viewer: Viewer, offer_id: str, words: str, now: datetime) -> str:
    """The day of the meeting, a request that fits: said in the talk in which the offer was made, as 「担当がここでお知らせします」 promised."""
    found = helping.offer(rows, viewer, offer_id, now)
    talk = talks.by_id(rows, found.conversation_id)
    if talk is None or not talk.reachable:
        raise Unreachable
    text = clean(words)
    body = json.dumps({"text": text, "speaker": viewer.name}, ensure_ascii=False)
    talk, line = talks.add_line(rows, talk, author="staff", kind="text", body=body, now=now, staff_id=viewer.staff_id)
    at = reception.At(rows, parts.knowledge.town, parts.rules, now, parts.doorman.split_of(talk.channel))
    outgoing = Outgoing(bubbles=(Reply(text=text),), speaker=viewer.name)
    posting.post(at, talk, line, outgoing, told.session_of(talk), answers=False, unasked=True)
    talks.save(rows, talk, now)
    audit.note(rows, actor=viewer.actor, act="offer.told", now=now, offer=offer_id)
    return talk.id


async def _page(
    request: Request, parts: Parts, signed: SignedIn, *, why: str | None = None, kept: dict[str, str] | None = None, status: int = 200
) -> HTMLResponse:  # fmt: skip
    now, town, words = parts.clock.now(), parts.knowledge.town, request.query_params.get("q", "")[:_LONGEST]
    viewer = access.viewer_of(signed)

    def look(rows: Rows) -> tuple[list[helping.Offered], list[helping.Asked]]:
        found = helping.offers(rows, viewer, now), helping.requests(rows, now)
        audit.note(rows, actor=viewer.actor, act="offers.read", now=now, count=len(found[0]))
        return found

    offers, asked = await parts.store.atransact(look)
    fits = {one.id: [offer for offer in offers if is_near(town, f"{offer.skill} {offer.when}", f"{one.title} {one.when}")] for one in asked}
    if words:
        offers = sorted((offer for offer in offers if is_near(town, offer.skill, words)), key=lambda offer: -kin(town, offer.skill, words))
    empty = dict.fromkeys(("act", "id", "title", "when", "place", "asked_by", "until", "words"), "")
    return await pages.page(
        request, signed, "helping.html", status=status, offers=offers, requests=asked, fits=fits, why=why, kept=empty | (kept or {}), words=words,
        soon=now + _SOON_OVER,
    )  # fmt: skip
