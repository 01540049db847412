"""国の帳票 of a case: a page that prints on A4, an Excel file, a CSV file (desk.md §3, R33)."""

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from bot.clock import JST
from bot.desk import access, acts, exports, form_filling, national_forms, pages, sheets
from bot.desk.access import Signed, TheParts
from bot.desk.form_filling import Filled
from bot.desk.national_forms import Form
from bot.parts import Parts
from storage import forms_data
from storage.forms_data import FormData, WhichPlan
from storage.refusals import Missing
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/desk/cases/{code}/forms/{form}")
async def paper(request: Request, code: str, form: str, parts: TheParts, signed: Signed) -> Response:
    """For A4: 取扱注意, who printed when, the case's number; no button, no address."""
    sheet, data, table = await _filled(request, parts, signed, code, form, "print")
    return await pages.page(request, signed, "form_print.html", form=sheet, case=data.case, table=table)


@router.get("/desk/cases/{code}/forms/{form}/xlsx")
async def excel(request: Request, code: str, form: str, parts: TheParts, signed: Signed) -> Response:
    sheet, _, table = await _filled(request, parts, signed, code, form, "xlsx")
    return _file(exports.xlsx_of(sheet.title, table.header, table.rows), f"{code}-{form}.xlsx", _XLSX)


@router.get("/desk/cases/{code}/forms/{form}/csv")
async def comma(request: Request, code: str, form: str, parts: TheParts, signed: Signed) -> Response:
    _, _, table = await _filled(request, parts, signed, code, form, "csv")
    return _file(exports.csv_of(table.header, table.rows), f"{code}-{form}.csv", "text/csv; charset=utf-8")


async def _filled(
    request: Request, parts: Parts, signed: SignedIn, code: str, name: str, how: Literal["print", "xlsx", "csv"]
) -> tuple[Form, FormData, Filled]:  # fmt: skip
    """`?plan=1&version=2`: an older plan, or how one stood before it was changed."""
    form = national_forms.read().forms.get(name)
    if form is None:
        raise Missing
    viewer, asked = access.viewer_of(signed), request.query_params
    which = WhichPlan(*(sheets.number(asked[one]) if one in asked else None for one in ("plan", "version")))
    data = await acts.transact(parts, viewer, f"form.{how}", lambda rows, now: forms_data.of_case(rows, viewer, code, name, how, now, which))
    return form, data, form_filling.filled(name, data, parts.clock.now().astimezone(JST).date())


def _file(content: bytes, name: str, media_type: str) -> Response:
    return Response(content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"})
