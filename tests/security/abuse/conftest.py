"""The desk's office and its people, besides the whole `town` of every test."""

from tests.desk.conftest import a_browser, clock, desk_store, knowledge, office, sato, settings, tanaka
from tests.security.abuse.test_others_things import theirs

__all__ = ["a_browser", "clock", "desk_store", "knowledge", "office", "sato", "settings", "tanaka", "theirs"]
