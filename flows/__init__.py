"""The conversation, pure: a session and what was said go in, a turn comes out. `step` is the door; the reception carries out what a turn asks for."""

from flows.consent import welcome
from flows.danger import card_while_human
from flows.engine import answer_in_words, everywhere_word, failed, is_everywhere_word, step
from flows.filling import Town, filled, load_town
from flows.followup import follow_up
from flows.forgetting import without_words
from flows.handoff import handback, late_until, other_coordinator, promise_late
from flows.helper import closing, renewal
from flows.mydata import receipt_in
from flows.room import ROOM, danger_at_entrance, entrance, help_at_entrance, is_over, is_way_in, not_kept, notice, spoken_in, way_in
from flows.talk import start_session
from flows.telling import asked_too_long_ago, may_we_tell, pressed_may, typed_may
from knowledge.hearing.model import Lang

__all__ = [
    "ROOM", "Lang", "Town", "answer_in_words", "asked_too_long_ago", "card_while_human", "closing", "danger_at_entrance", "entrance",
    "everywhere_word", "failed", "filled", "follow_up", "handback", "help_at_entrance", "is_everywhere_word", "is_over", "is_way_in", "late_until",
    "load_town", "may_we_tell", "not_kept", "notice", "other_coordinator", "pressed_may", "promise_late", "receipt_in", "renewal", "spoken_in",
    "start_session", "step", "typed_may", "way_in", "welcome", "without_words",
]  # fmt: skip
