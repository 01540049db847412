"""The bare app beside which we measure: checks LINE's signature and replies with the same text. It stores nothing and hears nothing."""

import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from linebot.v3.messaging import AsyncApiClient, AsyncMessagingApi, Configuration, ReplyMessageRequest, TextMessage

from bot.bench.load import signature


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncApiClient(Configuration(host=os.environ["ECHO_LINE_HOST"], access_token="bench")) as client:
        app.state.api = AsyncMessagingApi(client)
        yield


app = FastAPI(lifespan=_lifespan)


@app.post("/line/webhook")
async def webhook(request: Request) -> Response:
    body = await request.body()
    if not hmac.compare_digest(signature(body), request.headers.get("x-line-signature", "")):
        return Response(status_code=401)
    for event in json.loads(body)["events"]:
        if event["type"] == "message":
            message = TextMessage(text=event["message"]["text"])
            await request.app.state.api.reply_message(ReplyMessageRequest(replyToken=event["replyToken"], messages=[message]))
    return Response()


@app.get("/healthz")
async def healthz() -> Response:
    return Response("ok")
