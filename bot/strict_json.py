"""JSON from outside, read strictly: one meaning only, and small enough to be read safely (R4)."""

import json
import math
from typing import Any

from bot.channels.port import BadRequest

DEEPEST = 64
"""Levels of nesting; the deepest update Telegram writes has about ten."""


def read(body: bytes) -> Any:
    """Return what `body` holds. NaN, infinite numbers, repeated keys, deep nesting and anything but UTF-8 are `BadRequest`."""
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError):
        raise BadRequest("not readable as JSON") from None
    if _deeper_than(found, DEEPEST):
        raise BadRequest("nested too deeply")
    return found


def read_object(body: bytes) -> dict[str, Any]:
    """The same, where only an object will do."""
    found = read(body)
    if not isinstance(found, dict):
        raise BadRequest("not an object")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("number too large")
    return number


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("repeated key")
    return found


def _deeper_than(found: Any, most: int) -> bool:
    level = [found]
    for _ in range(most):
        level = [child for parent in level if isinstance(parent, dict | list) for child in (parent.values() if isinstance(parent, dict) else parent)]
        if not level:
            return False
    return True
