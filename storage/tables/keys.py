"""Data keys, wrapped (R38)."""

from sqlmodel import Field, SQLModel

from storage.tables.columns import sealed


class DataKey(SQLModel, table=True):
    """One data key per conversation or case, wrapped by the master key that never enters the database (R38)."""

    __tablename__ = "data_key"
    scope: str = Field(primary_key=True, max_length=48)
    """`conversation:<id>`, `case:<id>`, `staff:<id>`."""
    wrapped: bytes = sealed()
    master: str = Field(max_length=16)
    """Short name of the master key that wrapped it (R40)."""
