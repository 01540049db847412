"""持ちより: organisations enter what they already do, and staff take it into 地域の情報.

A table of field × district, and a drawing where the town gave its boundaries, show overlaps and blanks; from them come ideas for combining.
"""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.clock import JST
from bot.desk import access, knowledge_work, pages
from bot.desk.access import Signed, TheParts
from bot.desk.knowledge_work import BrokenElsewhere, OnDisk
from bot.parts import Parts
from knowledge import pooling as resources
from knowledge.boundaries import Drawing, NotBoundaries, drawing
from knowledge.changes import Impact
from knowledge.editing import new_file
from knowledge.entry import Entry
from knowledge.pooling import COLUMNS, KINDS, NotTaken
from knowledge.problem import errors
from storage import pooling, referrals
from storage.pooling import MOST_WAITING, Proposed, TooManyWaiting
from storage.refusals import Missing, Stale
from storage.staff import SignedIn
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

_LONGEST = 100_000
_LONGEST_WHY = 400
_LOOK_FIRST = "まだ入れていません。ほかの文の答えも変わります。「変わること」を見て、よければ、もう一度［地域の情報に入れる］を押してください。"
_ELSEWHERE = "入れていません。フォルダーに書けないか、ほかの項目にまちがいがあります。「地域の情報」の「一覧」で見てください。"
_TOO_MANY = f"まだ見てもらっていないものが多いので、出していません（{MOST_WAITING} 件まで）。町の職員が見たあとで、もう一度出してください。"
_MARK = 8
"""Letters of the proposal's id that make the entry's own."""


@dataclass(frozen=True)
class Look:
    """What must be seen before a proposal is taken; `mark` says that it was."""

    proposal_id: str
    impact: Impact
    mark: str


# ---------------------------------------------------------------- an organisation's own page


@router.get("/desk/offering")
async def own(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    """わたしたちがしていること: what this organisation has entered, and what became of it."""
    return await _own(request, parts, signed)


@router.post("/desk/offering")
async def enter(request: Request, parts: TheParts, signed: Signed) -> Response:
    """By the form, or as a whole text: CSV or YAML."""
    written = await access.fields(request, "how", "text", *COLUMNS)
    viewer, now = access.viewer_of(signed), parts.clock.now()
    agency = await parts.store.atransact(lambda rows: referrals.agency_of(rows, signed.member.id))
    if agency is None:
        raise Missing
    agency_id, name = agency
    today, domains = now.astimezone(JST).date(), _domains(parts)
    text = clean(written["text"].replace("\r\n", "\n"))[:_LONGEST]
    try:
        if written["how"] == "csv":
            trees = resources.from_csv(text, name, today, domains)
        elif written["how"] == "yaml":
            trees = resources.from_yaml(text, name, today)
        else:
            trees = [resources.from_form({key: clean(written[key]) for key in COLUMNS}, name, today, domains)]
    except NotTaken as error:
        return await _own(request, parts, signed, trouble=str(error), kept=written, status=422)
    try:
        await parts.store.atransact(lambda rows: pooling.propose(rows, viewer, agency_id, trees, now))
    except TooManyWaiting:
        return await _own(request, parts, signed, trouble=_TOO_MANY, kept=written, status=409)
    return RedirectResponse("/desk/offering", status_code=303)


# ---------------------------------------------------------------- the staff's page


@router.get("/desk/pooling")
async def overview(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _page(request, parts, signed)


@router.post("/desk/pooling/{proposal_id}")
async def decide(request: Request, proposal_id: str, parts: TheParts, signed: Signed) -> Response:
    """地域の情報に入れる: a new file of the town's own folder, live at once; or not, with a reason."""
    written = await access.fields(request, "act", "why", "shown")
    viewer, now, why = access.viewer_of(signed), parts.clock.now(), clean(written["why"].strip())[:_LONGEST_WHY]
    one = await parts.store.atransact(lambda rows: pooling.proposal(rows, proposal_id))
    if one.state != "waiting":
        raise Stale
    if written["act"] != "take":
        if not why:
            return await _page(request, parts, signed, trouble="ことわるときは、理由を書いてください。", status=422)
        await parts.store.atransact(lambda rows: pooling.decide(rows, viewer, proposal_id, "declined", why=why, now=now))
        return RedirectResponse("/desk/pooling", status_code=303)
    try:
        look = await _take(parts, signed, one, written["shown"])
    except NotTaken as error:
        return await _page(request, parts, signed, trouble=str(error), status=422)
    if look is not None:
        return await _page(request, parts, signed, trouble=_LOOK_FIRST, look=look, status=409)
    return RedirectResponse("/desk/pooling", status_code=303)


async def _take(parts: Parts, signed: SignedIn, one: Proposed, shown: str) -> Look | None:
    """Into the town's folder and live; or what must be seen before. Raises NotTaken."""
    viewer, now = access.viewer_of(signed), parts.clock.now()
    disk, text = _file_of(parts, one)
    draft = await asyncio.to_thread(knowledge_work.draft, parts.knowledge.folder, disk, text, now.astimezone(JST).date())
    if not draft.sound:
        raise NotTaken("　".join(problem.message for problem in errors(draft.problems)[:3]))

    def taken(rows: Rows) -> None:
        pooling.decide(rows, viewer, one.id, "taken", entry_id=disk.entry_id, now=now)

    try:
        impact = await knowledge_work.to_see_first(parts, {disk.path: text}, shown)
        if impact is not None:
            return Look(one.id, impact, knowledge_work.mark_of({disk.path: text}))
        files = {disk.path: (disk.entry_id, text)}
        live = await knowledge_work.publish_and_note(parts, signed.member.id, f"持ちより：{one.agency}", files, taken)
    except (BrokenElsewhere, OSError):
        live = False
    if not live:
        raise NotTaken(_ELSEWHERE)
    return None


def _entry_of(one: Proposed) -> Entry | None:
    try:
        return resources.entry_of(one.fields)
    except NotTaken:
        return None


def _file_of(parts: Parts, one: Proposed) -> tuple[OnDisk, str]:
    entry_id = f"mochiyori-{one.id[-_MARK:]}"
    path = parts.knowledge.folder / str(one.fields.get("domain") or "") / f"{entry_id}.yaml"
    return OnDisk(entry_id, path, ""), new_file({"id": entry_id, **one.fields}, f"持ちより：{one.agency}")


async def _own(
    request: Request, parts: Parts, signed: SignedIn, *, trouble: str = "", kept: dict[str, str] | None = None, status: int = 200
) -> HTMLResponse:  # fmt: skip
    agency = await parts.store.atransact(lambda rows: referrals.agency_of(rows, signed.member.id))
    if agency is None:
        return await pages.page(request, signed, "no_cases.html")
    mine = await parts.store.atransact(lambda rows: pooling.proposals(rows, agency_id=agency[0]))
    return await pages.page(
        request, signed, "offering.html", status=status, agency=agency[1], proposals=mine, columns=COLUMNS, kinds=KINDS, fields=_domains(parts),
        areas=parts.knowledge.town.base.town.areas, trouble=trouble, kept=dict.fromkeys(("how", "text", *COLUMNS), "") | (kept or {}),
    )  # fmt: skip


async def _page(
    request: Request, parts: Parts, signed: SignedIn, *, trouble: str = "", look: Look | None = None, status: int = 200
) -> HTMLResponse:  # fmt: skip
    waiting = await parts.store.atransact(lambda rows: pooling.proposals(rows, waiting=True))
    base, today, domains = parts.knowledge.town.base, parts.clock.now().astimezone(JST).date(), _domains(parts)
    spread = resources.spread(base.entries.values(), base.town.areas, domains, today)
    field = request.query_params.get("field", "")
    field = field if field in domains else ""
    drawn, why = await asyncio.to_thread(_drawing, parts)
    return await pages.page(
        request, signed, "pooling.html", status=status, proposals=[(one, _entry_of(one)) for one in waiting],
        files={one.id: _file_of(parts, one)[1] for one in waiting}, spread=spread,
        fields=domains, kinds=KINDS, trouble=trouble, drawn=drawn, why=why, field=field, crowded=resources.CROWDED,
        look=look, names={entry.id: entry.name for entry in base.entries.values()},
    )  # fmt: skip


def _drawing(parts: Parts) -> tuple[Drawing | None, str]:
    """The town's districts as a drawing; what is wrong with its file."""
    try:
        return drawing(parts.knowledge.folder, parts.knowledge.town.base.town.areas), ""
    except (NotBoundaries, OSError) as error:
        return None, str(error)


def _domains(parts: Parts) -> dict[str, str]:
    return {name: domain.name for name, domain in parts.knowledge.town.base.domains.items()}
