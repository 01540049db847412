"""The town's own boundaries become a drawing; whatever else is in the file is refused in words."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge.boundaries import FILE, WIDTH, NotBoundaries, drawing

_SQUARE = [[135.0, 35.0], [135.01, 35.0], [135.01, 35.01], [135.0, 35.01], [135.0, 35.0]]


def feature(name: object, rings: Any, kind: str = "Polygon") -> dict[str, Any]:
    return {"type": "Feature", "properties": {"name": name}, "geometry": {"type": kind, "coordinates": rings}}


def town(folder: Path, *features: object) -> Path:
    (folder / FILE).write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return folder


def test_a_town_without_the_file_has_no_drawing(tmp_path: Path) -> None:
    assert drawing(tmp_path, ("東浜",)) is None


def test_north_is_up_names_stand_inside_and_a_district_without_a_boundary_is_named(tmp_path: Path) -> None:
    north = [[east, lat + 0.01] for east, lat in _SQUARE]
    drawn = drawing(town(tmp_path, feature("山手", [north]), feature("東浜", [_SQUARE]), feature("よその町", [_SQUARE])), ("東浜", "西浜", "山手"))
    assert drawn
    assert [shape.name for shape in drawn.shapes] == ["東浜", "山手"]
    assert drawn.missing == ("西浜",)
    beach, hill = drawn.shapes
    assert hill.y < beach.y
    for shape in drawn.shapes:
        points = [tuple(map(float, at.split())) for at in re.findall(r"[\d.]+ [\d.]+", shape.path)]
        assert min(x for x, _ in points) <= shape.x <= max(x for x, _ in points)
        assert min(y for _, y in points) <= shape.y <= max(y for _, y in points)
        assert all(0 <= x <= WIDTH and 0 <= y <= drawn.height for x, y in points)


def test_islands_and_holes_of_one_district_are_one_path(tmp_path: Path) -> None:
    island = [[east + 0.05, lat] for east, lat in _SQUARE]
    hole = [[135.002 + (east - 135) * 0.4, 35.002 + (lat - 35) * 0.4] for east, lat in _SQUARE]
    drawn = drawing(town(tmp_path, feature("東浜", [[_SQUARE, hole], [island]], "MultiPolygon")), ("東浜",))
    assert drawn
    assert drawn.shapes[0].path.count("M") == drawn.shapes[0].path.count("Z") == 3


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{", "GeoJSON として読めません"), ("[" * 100_000, "GeoJSON として読めません"), ('{"a": NaN}', "GeoJSON として読めません"),
        ("[]", "FeatureCollection"),
        (json.dumps({"features": [1, None, {"properties": 3}]}), "名前"),
        (json.dumps({"features": [feature("ない地区", [_SQUARE])]}), "名前"),
        (json.dumps({"features": [feature("東浜", [[["x", 1]]])]}), "1 番め（東浜）"),
        (json.dumps({"features": [feature("東浜", [[[35000, 135000]]])]}), "1 番め（東浜）"),
        (json.dumps({"features": [feature("東浜", [[[1e999, 1]]])]}).replace("Infinity", "1e999"), "1 番め（東浜）"),
        (json.dumps({"features": [feature("東浜", _SQUARE, "Point")]}), "1 番め（東浜）"),
        (json.dumps({"features": [feature("東浜", [_SQUARE * 10_001])]}), "点が多すぎます"),
    ],
)  # fmt: skip
def test_what_is_no_boundary_is_refused_with_what_to_do(tmp_path: Path, written: str, says: str) -> None:
    (tmp_path / FILE).write_text(written, encoding="utf-8")
    with pytest.raises(NotBoundaries, match=re.escape(says)):
        drawing(tmp_path, ("東浜",))


def test_the_sample_town_draws_every_district_it_names() -> None:
    folder = Path(__file__).parents[2] / "knowledge" / "sample-town"
    drawn = drawing(folder, tuple(yaml.safe_load((folder / "town.yaml").read_text(encoding="utf-8"))["areas"]))
    assert drawn
    assert not drawn.missing
