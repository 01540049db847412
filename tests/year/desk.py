"""Somebody at a browser of the desk: reads pages, fills forms, follows where it is sent. Only HTTP; the page says what may be done."""

import html
import re
from typing import Any, Self

import httpx

from storage import staff
from tests.forms import hidden_field
from tests.town import Town

_PASSWORD = "坂の上の 青い 屋根 と 猫"
_TO_THE_DESK = {"lead": "/desk", "coordinator": "/desk", "agency": "/desk/shared"}


class Desk:
    """One account and one browser."""

    def __init__(self, town: Town, name: str, login: str, role: str = "coordinator", token: str | None = None) -> None:
        self.town, self.login, self.role = town, login, role
        self.http = httpx.Client(base_url=town.url, timeout=30, headers={"sec-fetch-site": "same-origin"})
        self.page = self.path = ""
        token = token or town.store.transact(lambda rows: staff.invite(rows, role=role, now=town.clock.now()))
        self.opens("/desk/welcome").posts("/desk/welcome", token=token, name=name, login=login, password=_PASSWORD, again=_PASSWORD)

    def comes_in(self) -> Self:
        """A new day: the session of last time has ended."""
        self.http.cookies.clear()
        self.opens("/desk/sign-in").posts("/desk/sign-in", login=self.login, password=_PASSWORD)
        assert self.path == _TO_THE_DESK[self.role], self.text
        return self

    def opens(self, path: str) -> Self:
        return self._arrives(self.http.get(path))

    def posts(self, path: str, **fields: Any) -> Self:
        """Send a form of the open page. What is refused is a mistake of the play."""
        self._arrives(self.http.post(path, data={"csrf": self.field("csrf")} | fields))
        self.town.rests()
        return self

    def field(self, name: str, within: str = "") -> str:
        """A hidden field, of the form whose address ends with `within`."""
        return hidden_field(self.page, name, within)

    def finds(self, pattern: str) -> str:
        found = re.search(pattern, self.page, re.DOTALL)
        assert found, f"{pattern} is not on {self.path}"
        return html.unescape(found[1])

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", self.page)))

    def _arrives(self, answer: httpx.Response) -> Self:
        while answer.status_code == 303:
            answer = self.http.get(answer.headers["location"].partition("#")[0])
        self.path, self.page = answer.url.path, answer.text
        assert answer.status_code == 200, f"{answer.request.method} {answer.url.path}: {answer.status_code} {self.text[:400]}"
        return self

    # ------------------------------------------------------------ what a coordinator does all day

    def waiting(self) -> list[str]:
        """Codes of the queue, the most urgent first."""
        return list(dict.fromkeys(re.findall(r'href="/desk/cases/([A-Z0-9]{3}-[A-Z0-9]{4})"', self.opens("/desk").page)))

    def takes(self, code: str) -> Self:
        return self.opens(f"/desk/cases/{code}").posts(f"/desk/cases/{code}/claim")

    def replies(self, code: str, words: str) -> Self:
        self.opens(f"/desk/cases/{code}")
        hidden = {name: self.field(name, "/reply") for name in ("expected_version", "recipient")}
        return self.posts(f"/desk/cases/{code}/reply", text=words, **hidden)

    def closes(self, code: str, reason: str, **gap: Any) -> Self:
        self.opens(f"/desk/cases/{code}/close")
        version = self.field("expected_version", "/close")
        return self.posts(f"/desk/cases/{code}/close", expected_version=version, reason=reason, no_next="yes", choice="none", **gap)
