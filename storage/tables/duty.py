"""Who is on duty, and where they can be called: the rungs of the alarm ladder (desk.md §9)."""

from sqlmodel import Field, SQLModel

from storage.tables.columns import key, ref, sealed


class Duty(SQLModel, table=True):
    """One place in the 当番表: this member of staff, on this day, inside or outside opening hours."""

    day: str = Field(primary_key=True, max_length=10)
    """ISO date; a day of duty lasts from 8:30 until 8:30 of the next."""
    part: str = Field(primary_key=True, max_length=3)
    """`in` or `out` of opening hours."""
    place: int = Field(primary_key=True)
    """1 is called first."""
    staff_id: str = ref("staff.id", index=True)


class CallAddress(SQLModel, table=True):
    """Where somebody can be called: a member of staff, or a 緊急連絡先 outside the desk (no `staff_id`)."""

    __tablename__ = "call_address"
    id: str = key()
    staff_id: str | None = ref("staff.id", default=None, unique=True)
    place: int = 0
    """Order among the 緊急連絡先."""
    body_sealed: bytes = sealed()
    """name (of an outside contact), mail, tel."""
