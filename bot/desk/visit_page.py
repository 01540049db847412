"""きょうの訪問: one sheet of A4 with five lines, for the pocket of whoever goes (desk.md §3).

The lines begin with what the case knows and may be changed before printing; nothing of them is kept. The paper may be seen at the door: it says that
there is a danger, never which, and people under 閲覧制限 are counted, not named.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from bot.desk import access, acts, pages
from bot.desk.access import Signed, TheParts
from bot.desk.japanese_dates import short_time
from bot.desk.national_forms import UNKNOWN
from storage import forms_data
from storage.forms_data import FormData

router = APIRouter(route_class=pages.DeskRoute)

LINES = {"who": "だれに", "where": "どこへ", "purpose": "なんのために", "take": "持っていくもの", "careful": "気をつけること"}
_LONGEST = 400
_IN_DANGER = 2
"""Urgency from which nobody goes alone."""


@router.get("/desk/cases/{code}/visit")
async def visit(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    return await _paper(request, parts, signed, code, {})


@router.post("/desk/cases/{code}/visit")
async def changed(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """The same sheet with the lines as they were changed; an emptied one is known again from the case."""
    written = await access.fields(request, *LINES)
    return await _paper(request, parts, signed, code, {name: text.strip()[:_LONGEST] for name, text in written.items() if text.strip()})


async def _paper(request: Request, parts: TheParts, signed: Signed, code: str, written: dict[str, str]) -> Response:
    """Reading it is audited as printing. A hidden address stays locked until two people release it (R22)."""
    viewer = access.viewer_of(signed)
    data = await acts.transact(parts, viewer, "form.print", lambda rows, now: forms_data.of_case(rows, viewer, code, "visit", "print", now))
    return await pages.page(request, signed, "visit_print.html", case=data.case, labels=LINES, lines=_known(data) | written)


def _known(data: FormData) -> dict[str, str]:
    """The five lines as far as the case knows them; what it does not know is 未確認."""
    answers = data.answers
    name, kana = (str(answers.get(f"person.{one}", "")) for one in ("name", "name_kana"))
    reach = [f"電話 {answers[one]}" for one in ("person.tel_mobile", "person.tel_home") if answers.get(one)]
    agreed = any(one.purpose == "referral" and one.withdrawn_at is None for one in data.consents)
    return {
        "who": "\n".join([f"{name}（{kana or 'ふりがな：' + UNKNOWN}）" if name else f"名前：{UNKNOWN}", *_household(data)]),
        "where": "　".join([str(answers.get("person.address") or f"住所：{UNKNOWN}"), *reach[:1]]),
        "purpose": _purpose(data), "take": "職員証" if agreed else "職員証、同意の書面（つなぐ同意は、まだありません）",
        "careful": _careful(data),
    }  # fmt: skip


def _household(data: FormData) -> list[str]:
    named = "、".join("・".join(filter(None, (one.facts.get("relation"), one.facts.get("birth")))) for one in data.household if not one.restricted)
    return [f"世帯：{named}"] if named else []


def _purpose(data: FormData) -> str:
    """The most urgent thing in the resident's words, and the day they were promised."""
    said = next((line["text"] for about in ("urgent", "worry", "need") for line in data.sheet if line["about"] == about), data.case.title)
    promised = [f"次の連絡の約束 {short_time(data.case.next_contact_at)}"] if data.case.next_contact_at else []
    return "\n".join([f"「{said}」（本人の言葉）" if said else UNKNOWN, *promised])


def _careful(data: FormData) -> str:
    shut = sum(one.restricted for one in data.household)
    found = ["危険の記録があります。ひとりで行かず、行く前に相談票を読みます。"] if data.case.urgency >= _IN_DANGER else []
    found += [f"世帯に、閲覧制限の人が {shut} 人います。"] if shut else []
    return "\n".join([*found, "この紙は、人に見せない・置いてこない。"])
