"""The rival: the rows of one message written as most would write them, one async ORM session an event. Nothing is heard, sealed or audited.

The same transaction in its plainest form: the event once, the talk locked and moved on, a line in, a line out, the letter; then the reply, and the
letter marked as sent. `PLAIN_DATABASE` is an address for SQLAlchemy's asyncio.
"""

import hmac
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from linebot.v3.messaging import AsyncApiClient, AsyncMessagingApi, Configuration, ReplyMessageRequest, TextMessage
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.bench.load import signature
from storage.dialect import table


class PlainTalk(SQLModel, table=True):
    """A resident and where their talk stands."""

    id: str = Field(primary_key=True)
    account: str = Field(unique=True)
    session: str = "{}"
    last_seq: int = 0


class PlainEvent(SQLModel, table=True):
    """One event of the platform, unique."""

    id: str = Field(primary_key=True)
    talk_id: str = Field(foreign_key="plaintalk.id")
    raw: str
    state: str = "pending"


class PlainLine(SQLModel, table=True):
    """One line of a talk."""

    id: str = Field(primary_key=True)
    talk_id: str = Field(foreign_key="plaintalk.id")
    seq: int
    author: str
    body: str
    at: str


class PlainLetter(SQLModel, table=True):
    """One call to the platform."""

    id: str = Field(primary_key=True)
    talk_id: str = Field(foreign_key="plaintalk.id")
    body: str
    token: str | None
    state: str = "queued"


_TABLES = [table(one) for one in (PlainTalk, PlainEvent, PlainLine, PlainLetter)]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    engine = create_async_engine(os.environ["PLAIN_DATABASE"], pool_size=20)
    async with engine.begin() as connection:
        await connection.run_sync(lambda one: SQLModel.metadata.create_all(one, tables=_TABLES))
    app.state.sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
    async with AsyncApiClient(Configuration(host=os.environ["ECHO_LINE_HOST"], access_token="bench")) as client:
        app.state.api = AsyncMessagingApi(client)
        yield
    await engine.dispose()


app = FastAPI(lifespan=_lifespan)


@app.post("/line/webhook")
async def webhook(request: Request) -> Response:
    body = await request.body()
    if not hmac.compare_digest(signature(body), request.headers.get("x-line-signature", "")):
        return Response(status_code=401)
    for event in json.loads(body)["events"]:
        if event["type"] == "message":
            await _answer(request.app, event)
    return Response()


async def _answer(app: FastAPI, event: dict[str, Any]) -> None:
    text, account = event["message"]["text"], event["source"]["userId"]
    async with app.state.sessions() as session:
        talk = (await session.exec(select(PlainTalk).where(PlainTalk.account == account).with_for_update())).first()
        if talk is None:
            talk = PlainTalk(id=uuid.uuid4().hex, account=account)
            session.add(talk)
            await session.flush()
        if await session.get(PlainEvent, event["webhookEventId"]) is not None:
            return
        stored = PlainEvent(id=event["webhookEventId"], talk_id=talk.id, raw=json.dumps(event))
        session.add(stored)
        for author in ("resident", "bot"):
            talk.last_seq += 1
            line = PlainLine(id=uuid.uuid4().hex, talk_id=talk.id, seq=talk.last_seq, author=author, body=text, at=datetime.now(UTC).isoformat())
            session.add(line)
        letter = PlainLetter(id=uuid.uuid4().hex, talk_id=talk.id, body=text, token=event["replyToken"])
        session.add(letter)
        talk.session, stored.state = json.dumps({"said": text}), "answered"
        await session.commit()
    await app.state.api.reply_message(ReplyMessageRequest(replyToken=event["replyToken"], messages=[TextMessage(text=text)]))
    async with app.state.sessions() as session:
        sent = await session.get(PlainLetter, letter.id)
        sent.state = "sent"
        await session.commit()


@app.get("/healthz")
async def healthz() -> Response:
    return Response("ok")
