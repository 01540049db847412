# ruff: noqa: S608 (put together of our own words and the names of our tables)
"""The second lock on PostgreSQL (R19): the rows themselves refuse whoever forgot the scope. SQLite has no such lock.

Every transaction of the product names its viewer: `system` for the product's own work, the id of a member of staff for what the desk asks
(`Store.seen_by`). A transaction that names nobody sees no row of any resident. It runs as a role that owns nothing and cannot pass policies by;
where the database does not let us make that role, FORCE binds the owner as well.

Which rows belong to a resident is read off the tables themselves, so a new table is locked with the migration that makes it.

What a member of staff may see is asked of a function, `madoguchi_sees(row)`, one for each table. Written into the policies themselves, each
condition brought those of the tables it looks into along: PostgreSQL planned every query on `message` for 9 ms instead of 0.1, and walked tables.
Where the row itself names its resident, the policy first compares that with two short lists, so that the desk's long lists call no function.
"""

from sqlalchemy import Connection, Table, text
from sqlmodel import SQLModel

ROLE = "madoguchi_app"
OPEN_TO_ALL = frozenset({"shut_out", "emergency", "audit", "erasure", "gap", "outcome"})
"""What the locks themselves look into; the chain and the list of erasures, one for all; gaps and outcomes, which are told without the person."""

_VIEWER = "(SELECT current_setting('madoguchi.viewer', true))"
_WHOLE = f"{_VIEWER} = 'system'"
_ROLE_OF_VIEWER = f"(SELECT role FROM staff WHERE id = {_VIEWER} AND disabled_at IS NULL)"
_INSIDE = f"coalesce({_ROLE_OF_VIEWER} <> 'agency', false)"
_SHARED = """
CREATE OR REPLACE FUNCTION madoguchi_shared(viewer text, of_case text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1 FROM referral JOIN staff ON staff.agency_id = referral.agency_id
    WHERE staff.id = viewer AND staff.role = 'agency' AND staff.disabled_at IS NULL AND referral.case_id = of_case)
$$"""
"""Whether a case was ever shared with the viewer's office: a function, so that the locks of cases and referrals do not chase each other."""
_WHOSE = """
CREATE OR REPLACE FUNCTION {function}(viewer text) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(person_id::text), '{{}}') FROM {table} WHERE staff_id = viewer AND {stands} $$"""
_SHUT_FROM = _WHOSE.format(function="madoguchi_shut_from", table="shut_out", stands="lifted_at IS NULL")
_LET_INTO = _WHOSE.format(function="madoguchi_let_into", table="emergency", stands="until IS NOT NULL")
_SEES = """
CREATE OR REPLACE FUNCTION madoguchi_sees({table} {table}) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
  BEGIN RETURN {condition}; END $$"""
_LIFT = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT tablename AS name FROM pg_policies WHERE policyname = 'need_to_know' AND schemaname = current_schema() LOOP
    EXECUTE format('DROP POLICY need_to_know ON %I', one.name);
    EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', one.name);
  END LOOP;
  FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
    WHERE starts_with(proname, 'madoguchi_') AND pronamespace = current_schema()::regnamespace LOOP
    EXECUTE format('DROP FUNCTION %s', one.name);
  END LOOP;
END $$"""
_MAKE_ROLE = f"""
DO $$ BEGIN
  CREATE ROLE {ROLE} NOLOGIN NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL; END $$"""
_LEND = f"""
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') THEN
    EXECUTE format('GRANT {ROLE} TO %I', current_user);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {ROLE}', current_schema());
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO {ROLE}', current_schema());
  END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL; END $$"""
_STAND = f"""
SELECT coalesce((SELECT relforcerowsecurity FROM pg_class WHERE oid = to_regclass('conversation')), false)
   AND to_regprocedure('madoguchi_shut_from(text)') IS NOT NULL
   AND (NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') OR has_table_privilege('{ROLE}', 'conversation', 'UPDATE'))"""
MAY_PLAY = f"""
SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}' AND pg_has_role(current_user, oid, 'MEMBER'))
   AND coalesce(has_table_privilege('{ROLE}', to_regclass('conversation'), 'UPDATE'), false)"""
"""Whether a transaction can run as the role that owns nothing."""


def stand(connection: Connection) -> bool:
    """Whether the locks are in place; after a restore the role has no rights yet."""
    return bool(connection.exec_driver_sql(_STAND).scalar())


def lift(connection: Connection) -> None:
    """Take the locks off, for a migration: they look into tables that it may change or drop, and would hide the rows it moves from an owner."""
    connection.execute(text(_LIFT))


def put(connection: Connection) -> None:
    """Lock every table that holds rows of residents; doing it again changes nothing."""
    for statement in (_MAKE_ROLE, _LEND, _SHARED, _SHUT_FROM, _LET_INTO):
        connection.execute(text(statement))
    for table in SQLModel.metadata.sorted_tables:
        if (condition := condition_of(table)) is not None:
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY")
            connection.exec_driver_sql(f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY")
            connection.exec_driver_sql(f"DROP POLICY IF EXISTS need_to_know ON {table.name}")
            connection.exec_driver_sql(_SEES.format(table=table.name, condition=condition))
            known = f"{_knows(person)} OR " if (person := _person_of(table)) is not None else ""
            connection.exec_driver_sql(f"CREATE POLICY need_to_know ON {table.name} USING ({_WHOLE} OR {known}madoguchi_sees({table.name}))")


def condition_of(table: Table) -> str | None:
    """Which rows of this table a member of staff may see; None where no row belongs to a resident."""
    name, columns = table.name, table.columns
    if name in OPEN_TO_ALL:
        return None
    if (person := _person_of(table)) is not None:
        shared = {
            "care_case": f"madoguchi_shared({_VIEWER}, care_case.id)",
            "conversation": f"NOT {_INSIDE} AND EXISTS (SELECT 1 FROM care_case WHERE care_case.conversation_id = conversation.id)",
            "consent": f"NOT {_INSIDE} AND EXISTS (SELECT 1 FROM care_case WHERE care_case.person_id = consent.person_id)",
        }.get(name, "false")
        return f"({_knows(person)} OR ({shared}))"
    for column, of in (("conversation_id", "conversation"), ("case_id", "care_case")):
        if column in columns:
            seen = f"EXISTS (SELECT 1 FROM {of} WHERE {of}.id = {name}.{column})"
            ours = f"({_INSIDE} AND {f'({name}.{column} IS NULL OR {seen})' if columns[column].nullable else seen})"
            return {
                "message": f"({ours} OR ({name}.withdrawn_at IS NOT NULL AND {seen}))",  # that a line was taken back leaves what was shared too
                "referral": f"({ours} OR {name}.agency_id = (SELECT agency_id FROM staff WHERE id = {_VIEWER}))",
            }.get(name, ours)
    return None


def _person_of(table: Table) -> str | None:
    """The column that says whose row it is, where the row itself says so."""
    if table.name == "person":
        return "person.id"
    return f"{table.name}.person_id" if "person_id" in table.columns else None


def _knows(person: str) -> str:
    """The scope of storage/desk_queue.py in the database's own words; when an emergency ends is left to that. Looked up once a query."""
    shut, let_in = (f"(SELECT {function}({_VIEWER}))::text[]" for function in ("madoguchi_shut_from", "madoguchi_let_into"))
    return f"(({_ROLE_OF_VIEWER} IN ('coordinator', 'lead') AND {person} <> ALL ({shut})) OR {person} = ANY ({let_in}))"
