"""持ちより: an organisation enters what it does, staff take it, residents find it; the table shows what is where."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.living import LivingKnowledge
from knowledge.pooling import COLUMNS
from tests.desk.conftest import Browser, Office, joins
from tests.desk.test_agencies import of_agency

NewBrowser = Callable[..., Browser]
TEA = {"name": "お茶の会（見本）", "summary": "集まってお茶を飲みます。", "kind": "場所", "area": "東浜", "every": "毎週火"}


@pytest.fixture
def knowledge(tmp_path: Path) -> LivingKnowledge:
    """A town of its own: what is taken is written into its folder."""
    (tmp_path / "town").mkdir()
    (tmp_path / "town" / "hatake.yaml").write_text("id: hatake\nname: 畑（見本）\ndomain: sanka\nsummary: 野菜を育てます。\n", encoding="utf-8")
    (tmp_path / "town" / "town.yaml").write_text("name: 見本町\ndesk_name: 窓口\nareas: [東浜, 西浜]\n", encoding="utf-8")
    return LivingKnowledge(tmp_path / "town")


@pytest.fixture
async def lead(a_browser: NewBrowser) -> Browser:
    return await joins(a_browser(), "係長", "kakaricho", role="lead")


@pytest.fixture
async def group(lead: Browser, a_browser: NewBrowser) -> Browser:
    return await of_agency(lead, a_browser(), "みなと会（見本）", "minato")


def a_field(office: Office) -> str:
    return next(domain.name for name, domain in office.parts.knowledge.town.base.domains.items() if name == "sanka")


async def test_what_an_organisation_does_is_found_by_residents_once_staff_took_it(office: Office, lead: Browser, group: Browser) -> None:
    await group.opens("/desk/offering")
    await group.posts("/desk/offering", how="form", **(TEA | {"domain": a_field(office)}))
    assert "見てもらっています" in group.text
    await lead.opens("/desk/pooling")
    assert "お茶の会（見本）" in lead.text
    (proposal,) = office.rows("SELECT id FROM proposal")[0]
    await lead.posts(f"/desk/pooling/{proposal}", act="take")
    assert lead.status in (200, 303), lead.text
    entry = next(one for one in office.parts.knowledge.town.base.entries.values() if one.name == "お茶の会（見本）")
    assert entry.events[0].every == "毎週火"
    assert entry.contacts[0].area == ("東浜",)
    assert entry.checked.by == "みなと会（見本）"
    await group.opens("/desk/offering")
    assert "地域の情報に入りました" in group.text
    await lead.posts(f"/desk/pooling/{proposal}", act="take")
    assert lead.status == 409, "it is taken once"


async def test_what_takes_a_sentence_from_another_entry_is_shown_before_it_is_taken(office: Office, lead: Browser, group: Browser) -> None:
    folder = office.parts.knowledge.folder
    (folder / "hatake.yaml").write_text("id: hatake\nname: 畑（見本）\nsummary: 野菜を育てます。\nexamples: [お茶を飲みたい]\n", encoding="utf-8")
    assert office.parts.knowledge.catch_up()
    await group.opens("/desk/offering")
    tea = {"name": "お茶を飲みたい人の会（見本）", "summary": "お茶を飲みたい人が、お茶を飲みます。"}
    await group.posts("/desk/offering", how="form", **(TEA | tea | {"domain": a_field(office)}))
    (proposal,) = office.rows("SELECT id FROM proposal")[0]
    await lead.opens("/desk/pooling")
    await lead.posts(f"/desk/pooling/{proposal}", act="take")
    assert lead.status == 409
    assert "まだ入れていません" in lead.text
    assert len(office.parts.knowledge.town.base.entries) == 1

    await lead.posts(f"/desk/pooling/{proposal}", act="take", shown=lead.field("shown"))
    assert len(office.parts.knowledge.town.base.entries) == 2


async def test_a_refusal_needs_its_reason_and_the_organisation_reads_it(office: Office, lead: Browser, group: Browser) -> None:
    await group.opens("/desk/offering")
    await group.posts("/desk/offering", how="form", **(TEA | {"domain": a_field(office)}))
    (proposal,) = office.rows("SELECT id FROM proposal")[0]
    await lead.opens("/desk/pooling")
    await lead.posts(f"/desk/pooling/{proposal}", act="decline", why="")
    assert lead.status == 422
    await lead.posts(f"/desk/pooling/{proposal}", act="decline", why="もう載っています")
    await group.opens("/desk/offering")
    assert "もう載っています" in group.text


async def test_csv_and_yaml_come_in_too_and_a_mistake_names_its_line(office: Office, group: Browser) -> None:
    head, field = ",".join(COLUMNS.values()), a_field(office)
    await group.opens("/desk/offering")
    await group.posts("/desk/offering", how="csv", text=f"{head}\nA,あつまり,{field},場所,東浜,,,,,,,\nB,あつまり,ないもの,場所,,,,,,,,")
    assert group.status == 422
    assert "3 行目" in group.text
    assert office.rows("SELECT count(*) FROM proposal") == [(0,)], "all or nothing"
    await group.posts("/desk/offering", how="csv", text=f"{head}\nA,あつまり,{field},場所,東浜,,,,毎週火,10:00,12:00,集会所")
    await group.posts("/desk/offering", how="yaml", text="name: よるの会\nsummary: 夜に集まります。\ndomain: sanka\nprovider: [べつの人]\n")
    assert group.status in (200, 303), group.text
    fields = " ".join(str(one) for (one,) in office.rows("SELECT fields FROM proposal"))
    assert "よるの会" in fields
    assert "べつの人" not in fields, "an organisation speaks for itself only"
    await group.posts("/desk/offering", how="yaml", text="name: [")
    assert group.status == 422


async def test_the_table_shows_blanks_and_an_idea_for_them(office: Office, lead: Browser, group: Browser) -> None:
    await group.opens("/desk/offering")
    await group.posts("/desk/offering", how="form", **(TEA | {"domain": a_field(office)}))
    (proposal,) = office.rows("SELECT id FROM proposal")[0]
    await lead.opens("/desk/pooling")
    await lead.posts(f"/desk/pooling/{proposal}", act="take")
    row = re.search(rf'<th scope="row">{re.escape(a_field(office))}</th>(.*?)</tr>', lead.page, re.DOTALL)
    assert row
    assert re.findall(r"<td[^>]*>(?:<details><summary>)?(\d+)", row[1])[:2] == ["1", "0"]
    assert "東浜にあり、西浜にありません" in lead.text


async def test_one_organisation_does_not_see_what_another_entered(office: Office, lead: Browser, group: Browser, a_browser: NewBrowser) -> None:
    await group.opens("/desk/offering")
    await group.posts("/desk/offering", how="form", **(TEA | {"domain": a_field(office)}))
    other = await of_agency(lead, a_browser(), "べつの会（見本）", "betsu")
    await other.opens("/desk/offering")
    assert "お茶の会" not in other.text
    assert (await other.http.get("/desk/pooling")).status_code == 404


async def test_the_drawing_says_where_nothing_is_and_a_broken_file_is_told(office: Office, lead: Browser) -> None:
    await lead.opens("/desk/pooling")
    assert "<svg" not in lead.page[lead.page.index("なにが、どこにあるか") :], "the town gave no boundaries"
    square = "[[[135,35],[135.1,35],[135.1,35.1],[135,35]]]"
    district = '{{"type":"Feature","properties":{{"name":"{}"}},"geometry":{{"type":"Polygon","coordinates":{}}}}}'
    file = office.parts.knowledge.folder / "boundaries.geojson"
    districts = ",".join(district.format(name, square) for name in ("東浜", "西浜"))
    file.write_text(f'{{"type":"FeatureCollection","features":[{districts}]}}', encoding="utf-8")
    await lead.opens("/desk/pooling?field=sanka")
    drawn = lead.page[lead.page.index('aria-label="地区の図"') :]
    assert re.findall(r'<path class="(\w+)"', drawn) == ["blank", "blank"]
    assert drawn.count("まだない") == 2
    assert "町ぜんぶが対象のもの（0）" in drawn
    file.write_text("{", encoding="utf-8")
    await lead.opens("/desk/pooling?field=" + "x" * 50)
    assert lead.status == 200
    assert "boundaries.geojson は GeoJSON として読めません" in lead.text
