"""Webhooks out: signed, in order, at least once, without a word of what was said; an address that fails is told later (issue of the desk, R35)."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from bot.webhooks import SIGNATURE, Webhooks
from storage.audit import HEAD
from tests.town import Town


class Receiver:
    """Another system of the town: a real server that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bytes]] = []
        self.answers = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.told.append((self.headers[SIGNATURE], body))
                self.send_response(receiver.answers)
                self.send_header("location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def events(self) -> list[str]:
        return [json.loads(body)["event"] for _, body in self.told]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()


def hooks(town: Town, receiver: Receiver) -> Webhooks:
    """Begun after the day's head of the audit, which the first sweep notes, whenever that falls."""
    town.until(lambda: bool(town.rows("SELECT 1 FROM audit WHERE act = :act", act=HEAD)))
    return Webhooks(town.store, town.clock, [receiver.url], "見本の秘密")


@pytest.mark.requirement("R12")
def test_opening_and_closing_are_told_in_order_and_signed_and_carry_no_words(town: Town, receiver: Receiver) -> None:
    out = hooks(town, receiver)
    town.on_loop(out.tell(receiver.url))
    assert receiver.told == []
    sato = town.coordinator("佐藤")
    resident = town.resident_on("line").taps("相談をはじめる").says("家賃が払えません").says("人と話したい").taps("渡す")
    code = resident.case
    sato.claims(code).replies(code, "読みました").closes(code)
    town.on_loop(out.tell(receiver.url))
    assert receiver.events == ["case.opened", "case.closed"]
    for sign, body in receiver.told:
        at, proof = (part.partition("=")[2] for part in sign.split(","))
        assert hmac.compare_digest(proof, hmac.digest("見本の秘密".encode(), f"{at}.".encode() + body, hashlib.sha256).hex())
        assert json.loads(body)["case"] == code
        assert set(json.loads(body)) <= {"id", "event", "case", "at", "state"}
    town.on_loop(out.tell(receiver.url))
    assert len(receiver.told) == 2, "what was taken is not told again"


@pytest.mark.parametrize("answers", [500, 302, 404])
@pytest.mark.requirement("R35")
def test_what_was_not_taken_is_told_again_and_no_redirect_is_followed(town: Town, receiver: Receiver, answers: int) -> None:
    out = hooks(town, receiver)
    town.on_loop(out.tell(receiver.url))
    town.coordinator("佐藤")
    town.resident_on("line").taps("相談をはじめる").says("家賃が払えません").says("人と話したい").taps("渡す")
    receiver.answers = answers
    with pytest.raises(httpx.HTTPStatusError):
        town.on_loop(out.tell(receiver.url))
    receiver.answers = 200
    town.on_loop(out.tell(receiver.url))
    assert receiver.events == ["case.opened", "case.opened"]
    assert len({body for _, body in receiver.told}) == 1, "the same call, with the same id"


