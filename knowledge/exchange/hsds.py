"""Human Services Data Specification 3 (Open Referral) in and out: JSON (services with what belongs to them nested) and tabular (a ZIP of CSVs).

Names of fields were read in the specification's own repository (openreferral/specification: schema/service.json, schedule.json,
simple/schema.csv): service.application_process, eligibility_description, fees_description, assured_date, required_documents, phones.number,
schedules.byday / opens_at / closes_at, service_at_locations.location.addresses.address_1, languages. No part of it is kept in this repository.
Its ids are UUIDs: ours are made from the entry's id, which is kept as an attribute, so that what goes out comes in again as the same entry.
"""

import csv
import io
import json
import re
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from knowledge.exchange import cells
from knowledge.exchange.csv_rows import NoTable
from knowledge.exchange.rows import BadRow, Taken, take
from knowledge.reading import Tree

OUR_ID: Final = "madoguchi-id"
LARGEST: Final = 50 * 1024 * 1024
"""Bytes of a package once it is unpacked."""
_SPACE: Final = uuid.UUID("6f0b3d0e-6d1f-5c8e-9a55-0d2f6a3f7c11")
_DAYS: Final = dict(zip("月火水木金土日", ("MO", "TU", "WE", "TH", "FR", "SA", "SU"), strict=True))
_TABLES: Final = {
    "organizations": ("id", "name", "description"), "phones": ("id", "service_id", "number", "type", "description"),
    "services": ("id", "organization_id", "name", "alternate_name", "description", "url", "email", "status", "application_process",
                 "fees_description", "eligibility_description", "assured_date"),
    "schedules": ("id", "service_id", "freq", "byday", "opens_at", "closes_at", "description"),
    "locations": ("id", "location_type", "name", "latitude", "longitude"),
    "addresses": ("id", "location_id", "address_1", "city", "state_province", "postal_code", "country", "address_type"),
    "service_at_locations": ("id", "service_id", "location_id"), "required_documents": ("id", "service_id", "document"),
    "languages": ("id", "service_id", "name", "code"), "attributes": ("id", "link_id", "link_entity", "label", "value"),
}  # fmt: skip
"""Table → columns we write."""


# ---------------------------------------------------------------- out


def export_json(entries: Mapping[str, Mapping[str, Tree]], organization: str) -> bytes:
    """A list of services as HSDS JSON."""
    services = [_service(fields, organization) for fields in entries.values()]
    return json.dumps(services, ensure_ascii=False, indent=1).encode()


def export_tabular(entries: Mapping[str, Mapping[str, Tree]], organization: str) -> bytes:
    """The same as a ZIP of CSVs, one a table."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    for fields in entries.values():
        service = _service(fields, organization)
        owner = service.pop("organization")
        if not any(row["id"] == owner["id"] for row in tables["organizations"]):
            tables["organizations"].append(owner)
        for name in ("phones", "schedules", "required_documents", "languages"):
            tables[name] += [{**row, "service_id": service["id"]} for row in service.pop(name)]
        tables["attributes"] += [{**row, "link_id": service["id"], "link_entity": "service"} for row in service.pop("attributes")]
        for at in service.pop("service_at_locations"):
            location = at["location"]
            tables["addresses"] += [{**row, "location_id": location["id"]} for row in location.pop("addresses")]
            tables["locations"].append(location)
            tables["service_at_locations"].append({"id": at["id"], "service_id": service["id"], "location_id": location["id"]})
        tables["services"].append({**service, "organization_id": owner["id"]})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, rows in tables.items():
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, _TABLES[name], extrasaction="ignore", lineterminator="\r\n")
            writer.writeheader()
            writer.writerows({key: cells.safe(value) if isinstance(value, str) else value for key, value in row.items()} for row in rows)
            packed.writestr(zipfile.ZipInfo(f"{name}.csv", (2000, 1, 1, 0, 0, 0)), text.getvalue())
    return out.getvalue()


def _service(fields: Mapping[str, Tree], organization: str) -> dict[str, Any]:
    entry_id = str(fields["id"])
    contacts = [row for row in _rows(fields.get("contacts")) if not row.get("hotline")]
    owner = next(iter(_words(fields.get("provider"))), None) or organization or "市町村"
    first = contacts[0] if contacts else {}
    service: dict[str, Any] = {
        "id": _uuid(entry_id), "name": fields.get("name"), "alternate_name": fields.get("kana"), "description": fields.get("summary"),
        "url": first.get("url"), "email": first.get("mail"), "status": "inactive" if fields.get("hidden") == "true" else "active",
        "application_process": fields.get("how"), "fees_description": fields.get("cost"),
        "eligibility_description": _block(fields.get("who")).get("note"), "assured_date": _block(fields.get("checked")).get("on"),
        "organization": {"id": _uuid(f"organization {owner}"), "name": owner, "description": owner},
        "phones": [
            {"id": _uuid(f"{entry_id} phone {number}"), "number": row["tel"], "type": "voice", "description": row.get("name")}
            for number, row in enumerate(contacts) if row.get("tel")
        ],
        "schedules": [
            {"id": _uuid(f"{entry_id} schedule {number}"), "freq": "WEEKLY", "byday": _byday(row.get("days")), "opens_at": row.get("from"),
             "closes_at": row.get("to"), "description": row.get("days")}
            for number, row in enumerate(_rows(first.get("hours")))
        ],
        "service_at_locations": [
            _at_location(entry_id, number, row) for number, row in enumerate(contacts) if _block(row.get("place")).get("address")
        ],
        "required_documents": [{"id": _uuid(f"{entry_id} document {word}"), "document": word} for word in _words(fields.get("bring"))],
        "languages": [{"id": _uuid(f"{entry_id} language {code}"), "name": code, "code": code} for code in _words(first.get("languages"))],
        "attributes": [{"id": _uuid(f"{entry_id} attribute"), "label": OUR_ID, "value": entry_id}],
    }  # fmt: skip
    return {name: value for name, value in service.items() if value is not None}


def _at_location(entry_id: str, number: int, contact: Mapping[str, Tree]) -> dict[str, Any]:
    place, name = _block(contact.get("place")), f"{entry_id} place {number}"
    location: dict[str, Any] = {"id": _uuid(name), "location_type": "physical", "name": contact.get("name")}
    if place.get("lat") and place.get("lon"):
        location |= {"latitude": float(str(place["lat"])), "longitude": float(str(place["lon"]))}
    address = {
        "id": _uuid(f"{name} address"), "address_1": place["address"], "city": "", "state_province": "", "postal_code": "", "country": "JP",
        "address_type": "physical",
    }  # fmt: skip
    return {"id": _uuid(f"{name} at"), "location": {**location, "addresses": [address]}}


def _byday(days: Tree) -> str | None:
    """月-金 → MO,TU,WE,TH,FR; what is no plain week stays in words only."""
    said = str(days or "")
    span = re.fullmatch(r"([月火水木金土日])-([月火水木金土日])", said)
    week = "月火水木金土日"
    letters = week[week.index(span[1]) : week.index(span[2]) + 1] if span else (week if said == "毎日" else said.replace("・", ""))
    return ",".join(_DAYS[letter] for letter in letters) if letters and all(letter in _DAYS for letter in letters) else None


def _uuid(name: str) -> str:
    return str(uuid.uuid5(_SPACE, name))


# ---------------------------------------------------------------- in


def import_hsds(content: bytes) -> Taken:
    """Services of an HSDS 3 file: JSON (a list, one service, or a page with `contents`) or a ZIP of its tables. Raises NoTable."""
    services = _from_tables(content) if content.startswith(b"PK") else _from_json(content)
    notes = list[BadRow]()
    rows = list[tuple[int, str, Mapping[str, Tree]]]()
    for number, service in enumerate(services, 1):
        lost = list[str]()
        name = str(service.get("name") or "")
        rows.append((number, name, _entry(service, lost)))
        notes += [BadRow(number, name, what) for what in lost]
    return take(rows, "HSDS の表", notes)


def _from_json(content: bytes) -> list[dict[str, Any]]:
    try:
        told = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as wrong:
        raise NoTable("JSON として読めません。") from wrong
    found = told.get("contents", told.get("services", [told])) if isinstance(told, dict) else told
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found) or not any("name" in one for one in found):
        raise NoTable("HSDS の services が見つかりません。")
    return found


def _from_tables(content: bytes) -> list[dict[str, Any]]:
    """The tables put together as the JSON would nest them."""
    tables = _tables(content)
    if "services" not in tables:
        raise NoTable("services.csv が入っていません。")
    of_service: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for name in ("phones", "schedules", "required_documents", "languages"):
        for row in tables.get(name, ()):
            of_service[row.get("service_id", "")][name].append(row)
    for row in tables.get("attributes", ()):
        of_service[row.get("link_id", "")]["attributes"].append(row)
    addresses = defaultdict(list)
    for row in tables.get("addresses", ()):
        addresses[row.get("location_id", "")].append(row)
    locations = {row.get("id", ""): {**row, "addresses": addresses[row.get("id", "")]} for row in tables.get("locations", ())}
    for row in tables.get("service_at_locations", ()):
        of_service[row.get("service_id", "")]["service_at_locations"].append({"location": locations.get(row.get("location_id", ""), {})})
    owners = {row.get("id", ""): row for row in tables.get("organizations", ())}
    return [{**row, **of_service[row.get("id", "")], "organization": owners.get(row.get("organization_id", ""), {})} for row in tables["services"]]


def _tables(content: bytes) -> dict[str, list[dict[str, str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > LARGEST:
                raise NoTable("大きすぎるファイルです。")
            parts = {part.filename.rsplit("/", 1)[-1]: packed.read(part) for part in packed.infolist() if part.filename.endswith(".csv")}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as wrong:
        raise NoTable("ZIP として読めません。") from wrong
    try:
        return {
            name.removesuffix(".csv"): [
                {key: cells.unsafe(value) for key, value in row.items() if isinstance(key, str) and isinstance(value, str)}
                for row in csv.DictReader(io.StringIO(part.decode("utf-8-sig"), newline=""))
            ]
            for name, part in parts.items()
        }
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise NoTable("CSV として読めません（UTF-8 で保存してください）。") from wrong


def _entry(service: Mapping[str, Any], lost: list[str]) -> dict[str, Tree]:
    ours = next((row.get("value") for row in _dicts(service.get("attributes")) if row.get("label") == OUR_ID), None)
    theirs = re.sub(r"[^a-z0-9]+", "-", str(service.get("id") or "").lower()).strip("-")
    owner = service.get("organization")
    fields: dict[str, Tree] = {
        "id": str(ours) if ours else f"hsds-{theirs}"[:58], "name": _said(service, "name"),
        "summary": _said(service, "description") or _said(service, "name"),
        "kana": _said(service, "alternate_name") if ours else None, "how": _said(service, "application_process"),
        "cost": _said(service, "fees_description"), "provider": [owner["name"]] if isinstance(owner, dict) and owner.get("name") else None,
        "bring": [word for row in _dicts(service.get("required_documents")) if (word := _said(row, "document"))],
        "who": _filled({"note": _said(service, "eligibility_description")}),
        "checked": _filled({"on": cells.day(_said(service, "assured_date"), "assured_date", lost)}), "contacts": list(_contacts(service, lost)),
        "hidden": "true" if service.get("status") in ("inactive", "defunct") else None,
    }  # fmt: skip
    return _filled(fields) or {}


def _contacts(service: Mapping[str, Any], lost: list[str]) -> Iterator[Tree]:
    """The first telephone with hours and place; further numbers as contacts of their own."""
    phones = _dicts(service.get("phones"))
    places = [row["location"] for row in _dicts(service.get("service_at_locations")) if isinstance(row.get("location"), dict)]
    count = max(len(phones), 1 if places or service.get("url") or service.get("email") or service.get("schedules") else 0)
    for number in range(count):
        phone, place = (phones[number] if number < len(phones) else {}), (places[number] if number < len(places) else {})
        address = next(iter(_dicts(place.get("addresses"))), {})
        parts = (_said(address, part) for part in ("state_province", "city", "address_1", "address_2"))
        first = number == 0
        yield _filled({
            "name": _said(phone, "description") or _said(place, "name") or _said(service, "name"),
            "tel": cells.tel(_said(phone, "number"), "phones.number", lost),
            "mail": cells.matched(_said(service, "email"), r"[^\s@]+@[^\s@]+\.[^\s@]+", "email", lost) if first else None,
            "url": cells.matched(_said(service, "url"), r"https?://[^\s\"'<>]+", "url", lost) if first else None,
            "hours": [row for told in _dicts(service.get("schedules")) for row in _hours(told, lost)] if first else None,
            "languages": [code for row in _dicts(service.get("languages")) if (code := _said(row, "code"))] if first else None,
            "place": _filled({"address": "".join(filter(None, parts)) or None, "lat": cells.degrees(_said(place, "latitude")),
                              "lon": cells.degrees(_said(place, "longitude"))}),
        })  # fmt: skip


def _hours(told: Mapping[str, Any], lost: list[str]) -> list[Tree]:
    by_code = {code: letter for letter, code in _DAYS.items()}
    codes = [code.strip() for code in str(told.get("byday") or "").split(",") if code.strip()]
    said = str(told.get("description") or "")
    days = said if cells.days(said) else "".join(by_code.get(code, "?") for code in codes)
    begins, ends = (cells.clock(re.sub(r"(Z|[+-]\d{2}:\d{2})$", "", str(told.get(name) or ""))) for name in ("opens_at", "closes_at"))
    if told.get("closes_at", "") and str(told["closes_at"]).startswith("翌"):
        ends = cells.clock(str(told["closes_at"])[1:])
    found = cells.hours(days, begins, ends, lost)
    return found if isinstance(found, list) else []


# ---------------------------------------------------------------- values


def _said(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    return str(value).strip() or None if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _filled(fields: Mapping[str, Tree]) -> dict[str, Tree] | None:
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})} or None


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _rows(value: Tree) -> list[Mapping[str, Tree]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _block(value: Tree) -> Mapping[str, Tree]:
    return value if isinstance(value, dict) else {}


def _words(value: Tree) -> Sequence[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
