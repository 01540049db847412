"""Why an act at the desk may not be done now. Nothing of it is kept then."""


class Refused(Exception):
    """The act may not be done now."""


class Missing(Refused):
    """No such thing, or not for this viewer: nobody can tell which (R18)."""


class Stale(Refused):
    """Somebody else acted since the page was read (R23)."""


class HeldByOther(Refused):
    """Another coordinator has it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NotHeld(Refused):
    """Nobody has taken it yet: 受け持つ comes first."""


class SameName(Refused):
    """The second name under a danger to life is somebody else's than the first (D14)."""


class Closed(Refused):
    """The case is over."""


class Locked(Refused):
    """A hidden address: not shared and not printed until two people release it (R22)."""


class NoGround(Refused):
    """What should be told to others rests on no consent that holds, and on no other lawful ground (R20)."""
