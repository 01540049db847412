"""A page runs the scripts it names itself, and no others: each answer has a mark of its own (R31)."""

import re

import pytest

from tests.town import Town

pytestmark = pytest.mark.requirement("R31")


@pytest.mark.parametrize("path", ["/", "/desk/sign-in", "/calendar", "/healthz", "/desk/static/desk.js", "/nowhere"])
def test_every_answer_forbids_what_it_does_not_name(town: Town, path: str) -> None:
    policy = town.http.get(path).headers["content-security-policy"]
    assert re.search(r"script-src 'nonce-[\w-]{22}';", policy)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "report-uri /csp-report" in policy


@pytest.mark.parametrize("path", ["/", "/desk/sign-in"])
def test_scripts_carry_the_mark_of_their_own_answer(town: Town, path: str) -> None:
    marks = set()
    for _ in range(2):
        answer = town.http.get(path)
        found = re.search(r"'nonce-([\w-]+)'", answer.headers["content-security-policy"])
        assert found
        scripts = re.findall(r"<script[^>]*>", answer.text)
        assert scripts
        assert all(f'nonce="{found[1]}"' in one for one in scripts)
        marks.add(found[1])
    assert len(marks) == 2


def test_a_report_is_taken_without_its_words(town: Town) -> None:
    for _ in range(3):
        assert town.http.post("/csp-report", content=b'{"csp-report": {"blocked-uri": "https://evil.example/secret"}}').status_code == 204
