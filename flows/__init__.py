"""The conversation, pure: a session and what was said go in, a turn comes out. `step` is the door; the reception carries out what a turn asks for."""

from flows.consent import welcome
from flows.danger import card_while_human
from flows.engine import failed, is_everywhere_word, step
from flows.filling import Town, load_town
from flows.followup import follow_up
from flows.forgetting import without_words
from flows.handoff import handback, promise_late
from flows.mydata import receipt_in
from flows.talk import start_session

__all__ = [
    "Town", "card_while_human", "failed", "follow_up", "handback", "is_everywhere_word", "load_town", "promise_late", "receipt_in", "start_session",
    "step", "welcome", "without_words",
]  # fmt: skip
