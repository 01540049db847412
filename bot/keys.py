"""The master key from its file, and its change while the product runs (R38, R40)."""

from bot.settings import Settings
from storage.sealing import Keyring, make_key_file, read_key_file
from storage.store import Store

_AT_ONCE = 500
"""Data keys wrapped in one transaction: whatever ends the command, what was done stays done."""


def build_keyring(settings: Settings) -> Keyring:
    """The demo makes its own key file, production must bring one. Raises `KeyFileProblem`."""
    if settings.profile == "demo" and not settings.master_key_file.exists():
        make_key_file(settings.master_key_file)
    retiring = settings.retiring_key_file
    return Keyring(read_key_file(settings.master_key_file), None if retiring is None else read_key_file(retiring))


def rotate(store: Store) -> int:
    """Wrap every data key of the retiring master with the new one; returns how many. Cut off, it goes on where it was."""
    done = 0
    while many := store.transact(lambda rows: store.keyring.wrap_anew(rows, _AT_ONCE)):
        done += many
    return done
