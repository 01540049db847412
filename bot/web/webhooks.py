"""The two doors of the platforms: proof first, then storage, and 200 only after the commit (R1, R2)."""

from fastapi import APIRouter, Request, Response

from bot.channels.port import BadRequest, NoProof
from bot.parts import Parts
from storage.store import StoreDown

router = APIRouter()


@router.post("/line/webhook", include_in_schema=False)
async def line_webhook(request: Request) -> Response:
    """LINE's events. 401 without a true signature, 400 for a body that is no LINE body, 503 when it cannot be saved now: LINE delivers again."""
    return await _webhook(request, "line")


@router.post("/telegram/webhook", include_in_schema=False)
async def telegram_webhook(request: Request) -> Response:
    """Telegram's updates; the same answers."""
    return await _webhook(request, "telegram")


async def _webhook(request: Request, name: str) -> Response:
    parts: Parts = request.app.state.parts
    channel = parts.channels.get(name)
    if channel is None:
        return Response(status_code=404)
    body = await request.body()
    try:
        inbounds = channel.read(request.headers, body, parts.clock.now())
    except NoProof:
        return Response(status_code=401)
    except BadRequest:
        return Response(status_code=400)
    try:
        await parts.doorman.receive(inbounds)
    except StoreDown:
        return Response(status_code=503, headers={"retry-after": "10"})
    return Response(status_code=200)
