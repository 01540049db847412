"""伴走: what may have slipped in open cases, as a quiet list. No number stands beside a person, and nothing is ranked."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.desk import access, pages
from bot.desk.access import Signed, TheParts
from storage import walking
from storage.walking import SIGNS

router = APIRouter(route_class=pages.DeskRoute)


@router.get("/desk/walking")
async def page(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    """Mine, or everybody's; narrowed by one sign."""
    viewer, now = access.viewer_of(signed), parts.clock.now()
    every = await parts.store.atransact(lambda rows: walking.noticed(rows, viewer, now))
    whose, sign = request.query_params.get("whose", "mine"), request.query_params.get("sign", "")
    shown = [
        one for one in every if (whose == "all" or one.coordinator_id == signed.member.id) and (not sign or sign in one.signs)
    ]  # fmt: skip
    return await pages.page(request, signed, "walking.html", shown=shown, whose=whose, sign=sign, signs=SIGNS)
