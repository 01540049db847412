"""What an organisation pours into 持ちより, and what it hides there (R4, R17, R46)."""

import pytest

from storage.pooling import MOST_WAITING
from tests.desk.conftest import Browser, Office
from tests.desk.test_agencies import lead
from tests.desk.test_pooling import group

__all__ = ["group", "lead"]

_HEAD = "名前,していること,分野,種類"


def _row(office: Office, name: str = "お茶の会（見本）", about: str = "集まってお茶を飲みます。") -> str:
    field = next(domain.name for domain in office.parts.knowledge.town.base.domains.values())
    return f"{name},{about},{field},場所"


async def _pours(browser: Browser, text: str, how: str = "csv") -> int:
    await browser.opens("/desk/offering")
    return (await browser.posts("/desk/offering", how=how, text=text)).status_code


@pytest.mark.requirement("R46")
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r"])
async def test_lines_may_end_as_any_machine_ends_them(office: Office, group: Browser, end: str) -> None:
    assert await _pours(group, end.join((_HEAD, _row(office), _row(office, "将棋の会（見本）")))) == 303
    assert office.rows("SELECT count(*) FROM proposal") == [(2,)]


@pytest.mark.requirement("R4")
@pytest.mark.parametrize(
    "text",
    [
        f"{_HEAD}\n" + "x,x,x,x\n" * 10_000, "x," * 49_000, f"{_HEAD}\n" + ",".join(['"' * 40_000]), f'{_HEAD}\n"' + "\n" * 90_000, "\0" * 1000,
        f"{_HEAD}\rx\ry\r\r,", "名前,名前,名前\na,b,c", "\ufeff\ufeff", "--- &a [*a, *a]", "<<: *x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["csv", "yaml"])
async def test_what_is_no_table_is_told_in_words_and_nothing_of_it_is_kept(office: Office, group: Browser, text: str, how: str) -> None:
    assert await _pours(group, text, how) == 422
    assert office.rows("SELECT count(*) FROM proposal") == [(0,)]


@pytest.mark.requirement("R4", "R46")
async def test_no_organisation_buries_what_the_others_proposed(office: Office, lead: Browser, group: Browser) -> None:
    """A table of 10,000 lines in parts: what waits for a person to look at it has an end, and what was written is not lost."""
    part = f"{_HEAD}\n" + f"{_row(office)}\n" * 200
    assert [await _pours(group, part) for _ in range(MOST_WAITING // 200 + 1)] == [303] * (MOST_WAITING // 200) + [409]
    assert office.rows("SELECT count(*) FROM proposal") == [(MOST_WAITING,)]
    assert "まだ見てもらっていないものが多い" in group.text
    assert "お茶の会（見本）" in group.text
    await lead.opens("/desk/pooling")
    assert lead.status == 200


@pytest.mark.requirement("R17", "R46")
@pytest.mark.parametrize(
    "more",
    [
        "", "contacts:\n  name: 会館\n  area: 東浜\n", "contacts: [{name: 会館, hours: 24時間}]\n", "events: []\nkind: place\n",
        "who: だれでも\ncost: null\n",
    ],
)  # fmt: skip
async def test_no_entry_of_an_organisation_shuts_the_page_of_all_proposals(office: Office, lead: Browser, group: Browser, more: str) -> None:
    assert await _pours(group, f"name: 見本の会\nsummary: 集まります。\ndomain: sanka\n{more}", "yaml") in (303, 422)
    await lead.opens("/desk/pooling")
    assert lead.status == 200
    kept = office.rows("SELECT count(*) FROM proposal")[0][0]
    assert ("見本の会" in lead.text) == bool(kept)
