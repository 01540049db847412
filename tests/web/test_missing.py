"""An address that leads nowhere: a reader is told so in words, with the numbers; a machine hears a short answer."""

import pytest

from tests.town import Town

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/town", "/nowhere", "/desk/nowhere"])
def test_a_reader_is_told_in_words_and_finds_the_numbers_and_the_chat(town: Town, path: str) -> None:
    answer = town.http.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert "このページは見つかりません" in answer.text
    assert 'href="tel:119"' in answer.text
    assert '<a href="/">' in answer.text


def test_a_machine_hears_a_short_answer(town: Town) -> None:
    answer = town.http.get("/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
