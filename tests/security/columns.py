"""Every column with its class, life time and purpose (R37), made from the tables and columns.yaml; `python -m tests.security.columns` writes it."""

from pathlib import Path

import yaml
from sqlmodel import SQLModel

from storage.tables import CLASSES
from tests.security.table import ROOT

PAPER = ROOT / "bot" / "security" / "columns.md"
_HEAD = """# What is kept, and for how long

Made by `python -m tests.security.columns` from the tables and `tests/security/columns.yaml`; a test fails when it differs.
**C3** talk, notes, topics, pictures: sealed with the talk's own key. **C2** identifiers: sealed, or a keyed fingerprint. **C1** operational, with
credentials of staff sealed or hashed. **C0** the knowledge base lies in files, not here.

| Table | C3 | C2 | C1 | Lives | For |
|---|---|---|---|---|---|
"""


def notes() -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((Path(__file__).parent / "columns.yaml").read_text(encoding="utf-8"))
    return found


def class_of(table: str, column: str) -> str:
    return next((name for name, listed in CLASSES.items() if f"{table}.{column}" in listed.split()), "C1")


def paper() -> str:
    said = notes()
    rows = []
    for table in sorted(SQLModel.metadata.tables.values(), key=lambda one: one.name):
        of = said["tables"][table.name]
        cells = [", ".join(column.name for column in table.columns if class_of(table.name, column.name) == name) for name in ("C3", "C2", "C1")]
        rows.append(f"| {table.name} | {' | '.join(cells)} | {said['ends'][of['lives']]} | {said['purposes'][of['for']]} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    PAPER.write_text(paper(), encoding="utf-8")
