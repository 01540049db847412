"""The town's own boundaries of its districts, if it gave them: `boundaries.geojson` beside town.yaml (RFC 7946), laid out as a plain drawing.

Each feature is a Polygon or MultiPolygon whose property `name` is a district of town.yaml. Nothing is fetched, there is no picture beneath it: the
drawing says which district is where, the table beside it says what is there.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = "boundaries.geojson"
_LARGEST: Final = 4_000_000
"""Bytes."""
_MOST_POINTS: Final = 50_000
WIDTH: Final = 640
"""Units of the drawing; its height follows, up to as much."""
_EDGE: Final = 8
_NEAR: Final = 0.7
"""Points nearer to the one before are left out: nobody would see them."""

_Point = tuple[float, float]
_Ring = list[_Point]


class NotBoundaries(ValueError):
    """The file cannot be drawn; the message says in Japanese what to do."""


@dataclass(frozen=True)
class Shape:
    """One district. `path`: as SVG takes it; `x`, `y`: where its name stands."""

    name: str
    path: str
    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """All districts that have boundaries, in the order of town.yaml. `missing`: those that have none."""

    height: int
    shapes: tuple[Shape, ...]
    missing: tuple[str, ...]


def drawing(folder: Path, areas: Sequence[str]) -> Drawing | None:
    """None where the town gave no file. Raises `NotBoundaries`."""
    file = folder / FILE
    if not file.is_file():
        return None
    if file.is_symlink() or file.stat().st_size > _LARGEST:
        raise NotBoundaries(f"{FILE} が大きすぎるか、ほかの場所を指しています。{_LARGEST // 1_000_000} MB までのファイルを置いてください。")
    try:
        tree = json.loads(file.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NotBoundaries(f"{FILE} は GeoJSON として読めません（UTF-8 の JSON です）。") from error
    rings = _rings(tree, areas)
    if not rings:
        raise NotBoundaries(f"{FILE} に、town.yaml の areas と同じ名前（name）の地区がありません。")
    return _laid_out(rings, areas)


def _no_number(written: str) -> float:
    raise ValueError(written)


def _rings(tree: Any, areas: Sequence[str]) -> dict[str, list[_Ring]]:
    """District → its rings, outer and inner alike: where two lie over each other, the inner one is a hole."""
    features = tree.get("features") if isinstance(tree, dict) else None
    if not isinstance(features, list):
        raise NotBoundaries(f"{FILE} は FeatureCollection ではありません。")
    found: dict[str, list[_Ring]] = {}
    points = 0
    for number, feature in enumerate(features, 1):
        said = feature.get("properties") if isinstance(feature, dict) else None
        name = said.get("name") if isinstance(said, dict) else None
        if name not in areas:
            continue
        try:
            rings = [[_point(at) for at in ring] for ring in _polygons(feature["geometry"])]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise NotBoundaries(f"{FILE} の {number} 番め（{name}）は、Polygon か MultiPolygon の [経度, 緯度] の並びではありません。") from error
        points += sum(map(len, rings))
        if points > _MOST_POINTS:
            raise NotBoundaries(f"{FILE} の点が多すぎます（{_MOST_POINTS} まで）。地図のソフトで「簡素化」してください。")
        found.setdefault(str(name), []).extend(ring for ring in rings if len(ring) >= 3)
    return {name: rings for name, rings in found.items() if rings}


def _polygons(geometry: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    if geometry["type"] == "Polygon":
        yield from geometry["coordinates"]
    elif geometry["type"] == "MultiPolygon":
        yield from (ring for polygon in geometry["coordinates"] for ring in polygon)
    else:
        raise ValueError(geometry["type"])


def _point(at: Sequence[Any]) -> _Point:
    """Longitude and latitude in degrees."""
    east, north = float(at[0]), float(at[1])
    if not (-180 <= east <= 180 and -85 <= north <= 85):
        raise ValueError(at)
    return east, north


def _laid_out(rings: Mapping[str, list[_Ring]], areas: Sequence[str]) -> Drawing:
    """A town is small: degrees of longitude, shortened by its latitude, are as good as any projection."""
    points = [point for of in rings.values() for ring in of for point in ring]
    west, east = min(point[0] for point in points), max(point[0] for point in points)
    south, north = min(point[1] for point in points), max(point[1] for point in points)
    short = math.cos(math.radians((south + north) / 2))
    wide, high = max((east - west) * short, 1e-9), max(north - south, 1e-9)
    scale = min((WIDTH - 2 * _EDGE) / wide, (WIDTH - 2 * _EDGE) / high)
    aside = (WIDTH - wide * scale) / 2

    def placed(point: _Point) -> _Point:
        return aside + (point[0] - west) * short * scale, _EDGE + (north - point[1]) * scale

    shapes = []
    for name in areas:
        if name in rings:
            drawn = [[placed(point) for point in ring] for ring in rings[name]]
            x, y = _middle(max(drawn, key=lambda ring: abs(_size(ring))))
            shapes.append(Shape(name, " ".join(map(_path, drawn)), round(x), round(y)))
    return Drawing(round(high * scale + 2 * _EDGE), tuple(shapes), tuple(name for name in areas if name not in rings))


def _path(ring: _Ring) -> str:
    kept = ring[:1]
    for point in ring[1:]:
        if math.dist(point, kept[-1]) >= _NEAR:
            kept.append(point)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in kept) + "Z"


def _size(ring: _Ring) -> float:
    return sum(one[0] * two[1] - two[0] * one[1] for one, two in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def _middle(ring: _Ring) -> _Point:
    """Its centre of gravity; of a ring without any area, the middle of its points."""
    size = _size(ring)
    if abs(size) < 1:
        return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)
    weights = [(one, two, one[0] * two[1] - two[0] * one[1]) for one, two in zip(ring, ring[1:] + ring[:1], strict=True)]
    return (
        sum((one[0] + two[0]) * weight for one, two, weight in weights) / (6 * size),
        sum((one[1] + two[1]) * weight for one, two, weight in weights) / (6 * size),
    )
