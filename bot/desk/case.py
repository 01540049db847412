"""相談票: the talk on the left, what is known of it on the right, and what a coordinator does (desk.md §3, D8, D14).

Reply and memo are two forms with two addresses; nothing here leads a memo to the outbox.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.channels.cutting import utf16_units
from bot.desk import access, acts, offers, pages
from bot.desk.access import Signed, TheParts
from bot.desk.acts import LONGEST_REPLY, NotNow, RecipientChanged, Unreachable
from bot.desk.offers import Moment, Trouble, Unfinished
from bot.desk.talk_view import ShownLine, shown
from bot.hub import conversation
from bot.parts import Parts
from flows.gap import REASONS
from storage import attachments, desk_cases, desk_sheets
from storage.desk_cases import CLOSE_REASONS, CaseFile
from storage.desk_queue import Viewer
from storage.refusals import Closed, HeldByOther, Missing, NotHeld, Refused, SameName, Stale
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)

LONGEST_NOTE = 4000
Why = Literal["stale", "held_by_other", "not_held", "closed", "unreachable", "recipient", "not_now", "same_name", "empty", "too_long", "store_down"]
_WHY: tuple[tuple[type[Refused], Why], ...] = (
    (Stale, "stale"), (HeldByOther, "held_by_other"), (NotHeld, "not_held"), (Closed, "closed"), (Unreachable, "unreachable"),
    (RecipientChanged, "recipient"), (NotNow, "not_now"), (SameName, "same_name"),
)  # fmt: skip


@router.get("/desk/cases/{code}")
async def case_page(request: Request, code: str, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _case(request, parts, signed, code)


@router.get("/desk/cases/{code}/attachments/{attachment_id}")
async def attachment(code: str, attachment_id: str, parts: TheParts, signed: Signed) -> Response:
    """A picture or paper of the resident, made anew, under a name of our own, never run by the browser (R34)."""
    viewer, now = access.viewer_of(signed), parts.clock.now()
    found = await parts.store.atransact(lambda rows: attachments.read(rows, viewer, code, attachment_id, now))
    media_type, ending = ("application/pdf", "pdf") if found.kind == "pdf" else ("image/jpeg", "jpg")
    headers = {
        "content-disposition": f'attachment; filename="{attachment_id[-8:]}.{ending}"', "content-security-policy": "default-src 'none'; sandbox",
    }  # fmt: skip
    return Response(found.body, media_type=media_type, headers=headers)


@router.get("/desk/cases/{code}/link")
async def leaving(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """Before an address that a resident wrote is opened: where it really leads, and what that may tell (R32). Only what stands in this talk."""
    viewer = access.viewer_of(signed)
    at, which = (_number(request.query_params.get(name, "")) for name in ("line", "number"))
    lines, _, _, _ = await parts.store.atransact(lambda rows: desk_cases.lines_since(rows, viewer, code, at - 1))
    links = next((line.links for line in shown(lines, {}, {}) if line.seq == at), ())
    if not 0 <= which < len(links) or links[which].host == "？":
        raise Missing
    return await pages.page(request, signed, "leaving.html", code=code, seq=at, link=links[which])


@router.post("/desk/cases/{code}/seen")
async def seen(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """The page is in view and shows lines up to this number: only then the resident's page says 職員が読みました."""
    number = (await access.fields(request, "seq"))["seq"]
    up_to = int(number) if number.isdecimal() and len(number) < 10 else 0
    viewer = access.viewer_of(signed)

    def work(rows: Any) -> tuple[bool, str]:
        return desk_cases.seen(rows, viewer, code, up_to), desk_cases.conversation_of(rows, viewer, code)

    news, talk_id = await parts.store.atransact(work)
    if news:
        parts.hub.wake(conversation(talk_id))
    return Response(status_code=204)


@router.post("/desk/cases/{code}/writing")
async def writing(code: str, parts: TheParts, signed: Signed) -> Response:
    """佐藤さんが書いています: told to the others while keys are pressed, never what is written."""
    viewer, now = access.viewer_of(signed), parts.clock.now()
    talk_id = await parts.store.atransact(lambda rows: desk_sheets.writes_now(rows, viewer, code, now))
    parts.hub.wake(conversation(talk_id))
    return Response(status_code=204)


@router.post("/desk/cases/{code}/claim")
async def claim(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """受け持つ. Somebody may have been faster: then the page says who."""
    instead = (await access.fields(request, "instead"))["instead"] == "yes"
    return await _try(request, parts, signed, code, lambda who: acts.claim(parts, who, code, instead_of_other=instead))


@router.post("/desk/cases/{code}/second-name")
async def confirm_danger(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """もう一人の確認 of a danger to life: somebody else than the one who took it (D14)."""
    return await _try(request, parts, signed, code, lambda who: acts.confirm_danger(parts, who, code))


@router.post("/desk/cases/{code}/reply")
async def reply(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """返事. Whatever hinders it, the text comes back in its field (R10, R23, R46)."""
    written = await access.fields(request, "text", "expected_version", "recipient", "safe_now", "seen_seq")
    text = written["text"].replace("\r\n", "\n").strip()
    if why := _wrong_length(text, LONGEST_REPLY):
        return await _case(request, parts, signed, code, why=why, kept_reply=text, status=422)

    async def act(who: Viewer) -> None:
        await acts.reply(
            parts, who, code, text=text, expected=_version(written), recipient=written["recipient"], safe_now=written["safe_now"] == "yes"
        )

    return await _try(request, parts, signed, code, act, kept_reply=text, seen_seq=_number(written["seen_seq"]))


@router.post("/desk/cases/{code}/note")
async def note(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """職員メモ（相談者には送られません）."""
    text = (await access.fields(request, "text"))["text"].replace("\r\n", "\n").strip()
    if why := _wrong_length(text, LONGEST_NOTE):
        return await _case(request, parts, signed, code, why=why, kept_note=text, status=422)
    return await _try(request, parts, signed, code, lambda who: acts.note(parts, who, code, text), kept_note=text, then="#notes")


@router.post("/desk/cases/{code}/next-contact")
async def next_contact(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """次の連絡, decided while the case goes on."""
    written = await access.fields(request, "next", "half", "expected_version")
    try:
        at = offers.read_next(written["next"], written["half"], parts.clock.now())
    except Unfinished as unfinished:
        return await _case(request, parts, signed, code, why=unfinished.trouble, kept_next=written["next"], status=422)
    return await _try(request, parts, signed, code, lambda who: acts.set_next_contact(parts, who, code, expected=_version(written), at=at))


@router.post("/desk/cases/{code}/printed")
async def printed(code: str, parts: TheParts, signed: Signed) -> Response:
    """The browser's own printing of a page of this case stands in the audit (desk.md §3)."""
    viewer, now = access.viewer_of(signed), parts.clock.now()
    await parts.store.atransact(lambda rows: desk_cases.note_print(rows, viewer, code, now))
    return Response(status_code=204)


@router.post("/desk/cases/{code}/release")
async def release(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """もう一度: replies that were held for being old may go (R11)."""

    async def act(who: Viewer) -> None:
        await acts.release(parts, who, code)

    return await _try(request, parts, signed, code, act)


@router.get("/desk/cases/{code}/hand-back")
async def hand_back_page(request: Request, code: str, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _ending(request, parts, signed, code, "hand_back")


@router.post("/desk/cases/{code}/hand-back")
async def hand_back(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """機械にもどす."""
    written = await _ending_fields(request)
    try:
        ending = offers.read_ending(written, "hand_back", parts.clock.now())
    except Unfinished as unfinished:
        return await _ending(request, parts, signed, code, "hand_back", trouble=unfinished.trouble, kept=written, status=422)
    return await _try(request, parts, signed, code, lambda who: acts.hand_back(parts, who, code, expected=_version(written), ending=ending))


@router.get("/desk/cases/{code}/close")
async def close_page(request: Request, code: str, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _ending(request, parts, signed, code, "close")


@router.post("/desk/cases/{code}/close")
async def close(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """一旦おわる: why, when next or なし, and a sentence for the resident."""
    written = await _ending_fields(request)
    reason = next((known for known in CLOSE_REASONS if known == written["reason"]), None)
    ticked = (await access.lists(request, "gap"))["gap"]
    reasons = tuple(known for known in REASONS if known in ticked)
    wish = written["wish"].strip()[:LONGEST_NOTE]
    gap = acts.Gap(reasons or ("none_exists",), wish, written["gap_domain"][:32] or None) if reasons or wish else None
    try:
        ending = offers.read_ending(written, "close", parts.clock.now())
    except Unfinished as unfinished:
        return await _ending(request, parts, signed, code, "close", trouble=unfinished.trouble, kept=written, status=422)
    if reason is None:
        return await _ending(request, parts, signed, code, "close", trouble="reason", kept=written, status=422)

    async def act(who: Viewer) -> None:
        await acts.close(parts, who, code, expected=_version(written), reason=reason, ending=ending, gap=gap)

    return await _try(request, parts, signed, code, act)


# ---------------------------------------------------------------- small parts


async def _case(
    request: Request, parts: Parts, signed: SignedIn, code: str, *, why: Why | Trouble | None = None, who_holds: str = "", kept_reply: str = "",
    kept_note: str = "", kept_next: str = "", seen_seq: int | None = None, status: int = 200,
) -> HTMLResponse:  # fmt: skip
    since = request.query_params.get("from", "")
    file = await _open(parts, signed, code, since=int(since) if since.isascii() and since.isdecimal() and len(since) < 10 else None)
    return await pages.page(
        request, signed, "case.html", status=status, case=file, lines=shown(file.lines, file.staff_names, file.files), numbers=file.numbers,
        mine=_mine(file, signed), why=why, who_holds=who_holds, kept_reply=kept_reply,
        kept_note=kept_note, kept_next=kept_next, longest=LONGEST_REPLY,
        ready=(("定型", offers.offers("reply")), ("やさしく", offers.offers("easy"))), news=_since(file, seen_seq) if why == "stale" else [],
    )  # fmt: skip


async def _ending(
    request: Request, parts: Parts, signed: SignedIn, code: str, moment: Moment, *, trouble: str | None = None, kept: dict[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:  # fmt: skip
    file = await _open(parts, signed, code)
    return await pages.page(
        request, signed, "ending.html", status=status, case=file, moment=moment, offers=offers.offers(moment), reasons=CLOSE_REASONS, trouble=trouble,
        kept=kept or {}, mine=_mine(file, signed), next_mark=offers.NEXT, longest=LONGEST_REPLY, gap_reasons=REASONS,
    )  # fmt: skip


async def _open(parts: Parts, signed: SignedIn, code: str, *, since: int | None = None) -> CaseFile:
    viewer, now = access.viewer_of(signed), parts.clock.now()
    file = await parts.store.atransact(lambda rows: desk_cases.open_file(rows, viewer, code, now, since=since))
    parts.hub.wake(conversation(file.conversation_id))
    return file


async def _try(
    request: Request, parts: Parts, signed: SignedIn, code: str, act: Callable[[Viewer], Coroutine[Any, Any, None]], *, kept_reply: str = "",
    kept_note: str = "", then: str = "#newest", seen_seq: int | None = None,
) -> Response:  # fmt: skip
    """Act, then show the case again; refused, the page says why and every written word is still there."""
    try:
        await act(access.viewer_of(signed))
    except Refused as refused:
        why = next((word for kind, word in _WHY if isinstance(refused, kind)), None)
        if why is None:
            raise
        holder = refused.name if isinstance(refused, HeldByOther) else ""
        return await _case(
            request, parts, signed, code, why=why, who_holds=holder, kept_reply=kept_reply, kept_note=kept_note, seen_seq=seen_seq, status=409
        )
    return RedirectResponse(f"/desk/cases/{code}{then}", status_code=303)


async def _ending_fields(request: Request) -> dict[str, str]:
    return await access.fields(request, "reason", "next", "half", "no_next", "choice", "sentence", "expected_version", "wish", "gap_domain")


def _mine(file: CaseFile, signed: SignedIn) -> bool:
    return file.coordinator_id == signed.member.id and file.state == "held"


def _since(file: CaseFile, seen_seq: int | None) -> list[ShownLine]:
    """What was written after the page was read, to stand beside the words that were about to be sent (R23)."""
    after = file.last_seq - 3 if seen_seq is None or seen_seq < 0 else seen_seq
    return shown([line for line in file.lines if line.seq > after], file.staff_names, file.files)


def _version(written: dict[str, str]) -> int:
    return _number(written["expected_version"])


def _number(written: str) -> int:
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else -1


def _wrong_length(text: str, most: int) -> Why | None:
    if not text:
        return "empty"
    return "too_long" if utf16_units(text) > most else None
