"""The two doors of the platforms: proof first, then storage, and 200 only after the commit (R1, R2)."""

from fastapi import APIRouter, Request, Response

from bot.channels.port import BadRequest, Channel, NoProof
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
    status = await _take(parts, channel, request)
    if status != 200:
        parts.refused[name, str(status)] += 1
    return Response(status_code=status, headers={"retry-after": "10"} if status == 503 else None)


async def _take(parts: Parts, channel: Channel, request: Request) -> int:
    body = await request.body()
    try:
        await parts.doorman.receive(channel.read(request.headers, body, parts.clock.now()))
    except NoProof:
        return 401
    except BadRequest:
        return 400
    except StoreDown:
        return 503
    return 200
