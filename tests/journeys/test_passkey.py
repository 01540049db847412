"""A passkey in a real browser with a virtual authenticator: made once, then it opens the desk; no outside host is asked (R26, R36)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from storage import staff
from storage.store import Store
from tests.journeys.conftest import ARGUMENTS, PASSWORD, chromium_path
from tests.town import Town

pytestmark = pytest.mark.browser
HOME = "http://localhost:8000"
"""BASE_URL of the town below: passkeys are tied to a name, and 127.0.0.1 is none."""


@contextmanager
def _browser_at_home(chromium: Browser, town: Town) -> Iterator[Page]:
    """A browser for which our outside address is the town's own port, as behind a proxy: the pages come from there, and `self` is there."""
    rules = f"--host-resolver-rules=MAP localhost 127.0.0.1:{urlsplit(town.url).port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    browser = chromium.browser_type.launch(executable_path=chromium_path(), args=[*ARGUMENTS, rules])
    yield browser.new_context(base_url=HOME, locale="ja-JP").new_page()
    browser.close()


@pytest.mark.requirement("R26", "R36")
def test_a_key_is_made_and_opens_the_desk(build_town: Callable[..., Town], town_store: Store, chromium: Browser) -> None:
    with build_town(town_store, base_url=HOME) as town, _browser_at_home(chromium, town) as page:
        now = town.clock.now()
        token = town.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=now))
        hosts: set[str] = set()
        page.on("request", lambda asked: hosts.add(urlsplit(asked.url).netloc))
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }  # fmt: skip
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        page.goto(f"/desk/welcome#{token}")
        page.fill("#name", "佐藤")
        page.fill("#login", "sato")
        page.fill("#password", PASSWORD)
        page.fill("#again", PASSWORD)
        page.locator("main button[type=submit]").click()
        page.wait_for_url("**/desk")
        page.goto("/desk/passkey")
        page.fill("#name", "窓口のパソコン")
        page.fill("#current", PASSWORD)
        page.get_by_role("button", name="パスキーをつくる").click()
        page.get_by_text("予備のコード").first.wait_for()
        page.goto("/desk")
        page.get_by_role("button", name="サインアウト").click()
        page.fill("#login", "sato")
        page.fill("#password", PASSWORD)
        page.get_by_role("button", name="サインイン").click()
        page.get_by_role("button", name="パスキーで入る").click()
        page.wait_for_url("**/desk")
        assert hosts == {"localhost:8000"}
