"""Cells of rows that have a version are bound to it: an older one that was put back does not open (R38)

Forms, household and answers of agencies were so already where they had been written since 0020; titles, topics and plans were bound to their row alone.
A cell that opens nowhere is left as it is, and stays shut.

Revision ID: 0021
Revises: 0020
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import context, op

from storage.sealing import SealBroken, seal, unseal
from storage.store import WorkSession

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_OF_CASE = ("JOIN care_case ON care_case.id = {table}.case_id", "care_case.conversation_id")
_CELLS = {
    "care_case.title": ("", "care_case.conversation_id", "id"), "care_case.topics": ("", "care_case.conversation_id", "id"),
    "plan.body": (*_OF_CASE, "id"), "intake.answers": (*_OF_CASE, "case_id"), "household_member.body": (*_OF_CASE, "id"),
    "referral.answers": (*_OF_CASE, "id"),
}  # fmt: skip
"""Where the row's talk is named, and what the row is called by."""


def upgrade() -> None:
    for cell in _CELLS:
        _bind(cell, to=lambda place, version: f"{place}:{version}")


def downgrade() -> None:
    for cell in ("care_case.title", "care_case.topics", "plan.body"):
        _bind(cell, to=lambda place, _version: place)


def _bind(cell: str, *, to: Callable[[str, int], str]) -> None:
    """Seal anew what is not bound to the place that `to` makes of the row's own and its version."""
    session = WorkSession(op.get_bind(), context.config.attributes["keyring"])
    (name, column), (join, talk, key) = cell.split("."), _CELLS[cell]
    found = sa.text(
        f"SELECT {name}.{key} AS id, {name}.version AS version, {name}.{column}_sealed AS cell, {talk} AS talk"  # noqa: S608 (our own words)
        f" FROM {name} {join.format(table=name)} WHERE {name}.{column}_sealed IS NOT NULL"
    )
    write = sa.text(f"UPDATE {name} SET {column}_sealed = :cell WHERE {key} = :id")  # noqa: S608 (our own words)
    for row in session.execute(found).all():
        scope, place = f"conversation:{row.talk}", f"{cell}:{row.id}"
        wanted, versioned = to(place, row.version), f"{place}:{row.version}"
        words = _words(session, scope, versioned if wanted == place else place, bytes(row.cell))
        if words is not None:
            session.execute(write, {"id": row.id, "cell": seal(session, scope, wanted, words)})
    session.close()


def _words(session: WorkSession, scope: str, place: str, cell: bytes) -> str | None:
    try:
        return unseal(session, scope, place, cell)
    except SealBroken:
        return None
