"""Statements of the way of one message, made ready once for SQLite: there the library's own work on a statement costs many times its running.

`prepared(statement)` marks one. It is written once, compiled once for each set of columns, and then goes straight to the driver; values pass through
the same types as ever, errors are the library's own. On PostgreSQL, and while anybody listens to the engine, it goes the ordinary way.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import Dialect, IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError

S = TypeVar("S")
Row = Mapping[str, Any]
_Process = Callable[[Any], Any] | None


class _Plan(NamedTuple):
    sql: str
    values: list[tuple[str, Any, _Process]]
    """Each place in turn: its name, what stands there where the caller gives nothing, and what its type does to a value on its way in."""
    shape: SimpleResultMetaData | None
    columns: list[_Process]
    """What its type does to each value on its way out."""


_PLANS: dict[int, tuple[Any, dict[tuple[str, ...], _Plan]]] = {}
"""By the statement's identity, which the statement beside it keeps alive; then by the names of what is given."""


def prepared(statement: S) -> S:
    """Mark a statement that is kept for good and run for every message. Of one that only changes rows the result is None."""
    _PLANS[id(statement)] = (statement, {})
    return statement


def driver_of(connection: Connection) -> Any:
    """The driver's connection, where prepared statements may go straight to it; else None."""
    straight = connection.dialect.name == "sqlite" and not is_listened(connection.engine)
    return connection.connection.dbapi_connection if straight else None


def is_listened(engine: Engine) -> bool:
    """Whether anybody hears what goes through the library: then all of it must."""
    told = engine.dispatch
    heard = told.before_execute, told.before_cursor_execute, told.after_execute, told.after_cursor_execute, told.begin, told.commit, told.rollback
    return any(heard)


def is_prepared(statement: Any) -> bool:
    return id(statement) in _PLANS


def run(driver: Any, dialect: Dialect, statement: Any, given: Row | Sequence[Row]) -> Any:
    """Run a prepared statement; with several rows of values, once for each. Raises what the library raises."""
    if not isinstance(given, Mapping):
        for one in given:
            run(driver, dialect, statement, one)
        return None
    plans = _PLANS[id(statement)][1]
    names = tuple(given)
    plan = plans.get(names) or plans.setdefault(names, _planned(statement, dialect, names))
    values = [given.get(name, usual) if into is None else into(given.get(name, usual)) for name, usual, into in plan.values]
    try:
        cursor = driver.execute(plan.sql, values)
        if plan.shape is None:
            return None
        rows = cursor.fetchall()
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(plan.sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect) from error
    return IteratorResult(plan.shape, _told(rows, plan.columns))


def _told(rows: Sequence[tuple[Any, ...]], columns: Sequence[_Process]) -> Iterator[tuple[Any, ...]]:
    return (tuple([value if out is None else out(value) for value, out in zip(row, columns, strict=True)]) for row in rows)


def _planned(statement: Any, dialect: Dialect, names: Sequence[str]) -> _Plan:
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    usual, into = compiled.params, {name: bound.type.dialect_impl(dialect).bind_processor(dialect) for name, bound in compiled.binds.items()}
    told = list(statement.exported_columns)
    return _Plan(
        str(compiled),
        [(name, usual.get(name), into.get(name)) for name in compiled.positiontup or ()],
        SimpleResultMetaData([column.key for column in told]) if told else None,
        [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in told],
    )
