"""A passkey in a real browser with a virtual authenticator: made once, then it opens the desk; no outside host is asked (R26, R36)."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route

from storage import staff
from tests.journeys.conftest import PASSWORD
from tests.town import Town

pytestmark = pytest.mark.browser
HOME = "http://localhost:8000"
"""BASE_URL of the town below: passkeys are tied to a name, and 127.0.0.1 is none."""


def _at_home(page: Page, town: Town) -> list[str]:
    """What the browser asks for at our outside address is answered by the town; hosts it asks for are written down."""
    hosts: list[str] = []

    def answer(route: Route) -> None:
        asked = urlsplit(route.request.url)
        hosts.append(asked.netloc)
        route.continue_(url=town.url + asked.path + (f"?{asked.query}" if asked.query else ""))

    page.route("**/*", answer)
    return hosts


@pytest.mark.requirement("R26", "R36")
def test_a_key_is_made_and_opens_the_desk(build_town: Callable[..., Town], town_store: object, chromium: object) -> None:
    with build_town(town_store, base_url=HOME) as town:
        now = town.clock.now()
        token = town.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=now))
        page = chromium.new_context(base_url=HOME, locale="ja-JP").new_page()
        hosts = _at_home(page, town)
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
        page.context.close()
        assert set(hosts) == {"localhost:8000"}
