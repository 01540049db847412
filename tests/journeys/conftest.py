"""A real Chromium, and people who sit before it."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from storage import staff
from tests.town import Town

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
_NOBODY_OUTSIDE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""A page of ours asks nobody outside for anything (R31)."""
PASSWORD = "見本の合言葉をならべて書く"


def chromium_path() -> str | None:
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Ended with this folder: while it lives its event loop runs, and asynchronous tests elsewhere could not start theirs."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium on this machine")
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, _NOBODY_OUTSIDE])
        yield browser
        browser.close()


def begins(page: Page, token: str, name: str, login: str, lands_on: str = "**/desk") -> None:
    """Somebody opens their one-time link and chooses how they are called and sign in."""
    page.goto(f"/desk/welcome#{token}")
    page.get_by_label("お名前").fill(name)
    page.get_by_label("ログイン名").fill(login)
    page.get_by_label("パスワード", exact=True).fill(PASSWORD)
    page.get_by_label("パスワード（もう一度）").fill(PASSWORD)
    page.get_by_role("button", name="はじめる").click()
    page.wait_for_url(lands_on)


@pytest.fixture
def open_browser(chromium: Browser, town: Town) -> Iterator[Callable[..., Page]]:
    """Opens a fresh browser window that knows nothing of the others; what its scripts complain of fails the test."""
    opened: list[Page] = []
    complaints: list[str] = []

    def one(**options: object) -> Page:
        usual: dict[str, object] = {"base_url": town.url, "viewport": {"width": 1366, "height": 768}}
        context = chromium.new_context(locale="ja-JP", **(usual | options))  # type: ignore[arg-type]
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        opened.append(page)
        return page

    yield one
    for page in opened:
        page.context.close()
    assert complaints == []


@pytest.fixture
def desk(open_browser: Callable[..., Page], town: Town) -> Callable[..., Page]:
    """Somebody who has just signed in at the desk through their one-time link."""

    def signs_in(name: str, role: staff.Role = "coordinator", **options: object) -> Page:
        token = town.store.transact(lambda rows: staff.invite(rows, role=role, now=town.clock.now()))
        page = open_browser(**options)
        begins(page, token, name, f"staff-{len(name)}-{id(page)}")
        return page

    return signs_in
