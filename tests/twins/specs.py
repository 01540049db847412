"""The platforms' own machine-readable descriptions, as validators.

They lie outside the project; where they are absent, only the limits written in the twins are checked.
"""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

PLATFORM = Path(__file__).resolve().parents[2].parent / "shared" / "platform"
HERE = PLATFORM.is_dir()

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _validator(file: str, name: str) -> jsonschema_rs.Draft202012Validator:
    """Validator of one schema of LINE's OpenAPI files. Unknown properties and nulls are errors."""
    return jsonschema_rs.Draft202012Validator({**_components(file), "$ref": f"#/components/schemas/{name}"})


def line_errors(file: str, name: str, value: object) -> list[str]:
    """What a file (`messaging-api`, `webhook`) says against a value; empty when nothing, or when there is no description here."""
    if not HERE:
        return []
    return [f"{_place(error.instance_path)}: {error.message[:200]}" for error in _validator(file, name).iter_errors(value)]


def _place(path: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


@cache
def _components(file: str) -> dict[str, Any]:
    """OpenAPI 3.0 schemas as JSON Schema 2020-12: a base with a discriminator becomes a choice by it, and unknown properties are errors."""
    document = yaml.load((PLATFORM / "line" / f"{file}.yml").read_text(encoding="utf-8"), Loader=_Loader)
    schemas = document["components"]["schemas"]
    bases = {name for name, schema in schemas.items() if "discriminator" in schema}
    children = {ref.rsplit("/", 1)[1] for name in bases for ref in schemas[name]["discriminator"]["mapping"].values()}
    found: dict[str, Any] = {}
    for name, schema in schemas.items():
        plain = _rewrite(deepcopy(schema), bases)
        if name in bases:
            found[f"{name}__base"] = {key: part for key, part in plain.items() if key != "discriminator"}
            found[name] = _choice(schema["discriminator"])
        else:
            found[name] = plain | ({"unevaluatedProperties": False} if "properties" in plain or name in children else {})
    return {"components": {"schemas": found}}


def _rewrite(schema: Any, bases: set[str], *, in_all_of: bool = False) -> Any:
    """Inside `allOf` a reference to a base means its properties only; anywhere else it means any of its kinds."""
    if isinstance(schema, list):
        return [_rewrite(part, bases, in_all_of=in_all_of) for part in schema]
    if not isinstance(schema, dict):
        return schema
    ref = schema.get("$ref")
    if isinstance(ref, str):
        name = ref.rsplit("/", 1)[1]
        return {"$ref": f"#/components/schemas/{name}__base" if in_all_of and name in bases else f"#/components/schemas/{name}"}
    return {key: _rewrite(part, bases, in_all_of=key == "allOf") for key, part in schema.items()}


def _choice(discriminator: dict[str, Any]) -> dict[str, Any]:
    key, mapping = discriminator["propertyName"], discriminator["mapping"]
    return {
        "type": "object",
        "required": [key],
        "properties": {key: {"enum": list(mapping)}},
        "allOf": [
            {"if": {"properties": {key: {"const": kind}}}, "then": {"$ref": f"#/components/schemas/{ref.rsplit('/', 1)[1]}"}}
            for kind, ref in mapping.items()
        ],
    }


# ---------------------------------------------------------------- Telegram


@cache
def telegram_api() -> dict[str, Any] | None:
    """Telegram's Bot API description: `methods` and `types`."""
    return json.loads((PLATFORM / "telegram" / "api.json").read_text(encoding="utf-8")) if HERE else None


def telegram_errors(method: str, given: dict[str, Any]) -> list[str]:
    """What the description says against the parameters of a call."""
    api = telegram_api()
    if api is None:
        return []
    described = next((found for name, found in api["methods"].items() if name.lower() == method.lower()), None)
    return ["no such method"] if described is None else _object_errors(method, described.get("fields", []), given)


def type_errors(kind: str, value: dict[str, Any]) -> list[str]:
    """What the description says against an object of this type."""
    api = telegram_api()
    return [] if api is None else _object_errors(kind, api["types"][kind]["fields"], value)


def _object_errors(where: str, fields: list[dict[str, Any]], value: dict[str, Any]) -> list[str]:
    known = {field["name"]: field for field in fields}
    errors = [f"{where}: unknown field {name}" for name in value if name not in known]
    errors += [f"{where}: {name} is required" for name, field in known.items() if field["required"] and name not in value]
    for name, part in value.items():
        if name in known and not any(_fits(part, kind) for kind in known[name]["types"]):
            errors.append(f"{where}.{name}: not {' or '.join(known[name]['types'])}")
    return errors


def _fits(value: Any, kind: str) -> bool:
    if kind.startswith("Array of "):
        return isinstance(value, list) and all(_fits(part, kind.removeprefix("Array of ")) for part in value)
    match kind:
        case "Integer":
            return type(value) is int
        case "Float":
            return type(value) in (int, float)
        case "String":
            return isinstance(value, str)
        case "Boolean" | "True":
            return isinstance(value, bool)
    api = telegram_api() or {}
    described = api["types"].get(kind)
    if described is None or not isinstance(value, dict):
        return False
    if subtypes := described.get("subtypes"):
        return any(_fits(value, subtype) for subtype in subtypes)
    return not _object_errors(kind, described.get("fields", []), value)
