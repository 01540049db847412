"""The terminal as a channel: for trying out a talk without any platform. Plain text, buttons with numbers, a card's buttons with letters."""

import secrets
import string
from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from bot.channels.port import BadRequest, Delivery, Inbound, Outgoing, Sent
from flows.model import Button, Card, ChannelName
from storage.text import clean


class TerminalChannel:
    """One resident at one keyboard. A number or letter shown beside a button presses it; everything else is text."""

    name: ChannelName = "terminal"

    def __init__(self, out: Console) -> None:
        self._out = out
        self._keys: dict[str, Button] = {}

    # ------------------------------------------------------------ reading

    def opening(self, now: datetime) -> Inbound:
        """The beginning of the talk: what a follow is elsewhere."""
        return self._inbound("follow", now)

    def typed(self, written: str, now: datetime) -> Inbound:
        """One line: the mark of a button shown last presses it; everything else is text."""
        button = self._keys.get(written.strip().lower())
        if button is not None and button.value:
            return self._inbound("button", now, button=button.value)
        return self._inbound("text", now, text=written)

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Inbound]:
        """One typed line as bytes; whoever sits at the keyboard needs no proof. Raises `BadRequest` when it is not UTF-8."""
        try:
            return (self.typed(body.decode("utf-8"), now),)
        except UnicodeDecodeError:
            raise BadRequest("not UTF-8") from None

    @staticmethod
    def _inbound(kind: str, now: datetime, *, text: str = "", button: str | None = None) -> Inbound:
        return Inbound("terminal", secrets.token_hex(16), kind, "keyboard", now, "{}", text=text, button=button)  # type: ignore[arg-type]

    # ------------------------------------------------------------ showing

    def letters(self, outgoing: Outgoing) -> Sequence[Outgoing]:
        return (outgoing,)

    async def send(self, outgoing: Outgoing, *, destination: str, retry_key: str, reply_token: str | None) -> Delivery:
        """Print one turn."""
        self._keys = {}
        if outgoing.speaker:
            self._out.print(Text(clean(outgoing.speaker), style="bold"))
        for bubble in outgoing.bubbles:
            if bubble.text.strip():
                self._out.print(Text(clean(bubble.text)), soft_wrap=True)
            for card in bubble.cards:
                self._out.print(self._card(card))
        if outgoing.buttons:
            self._out.print(self._buttons(outgoing.buttons, [str(number) for number in range(1, len(outgoing.buttons) + 1)]))
        return Sent()

    def _card(self, card: Card) -> Panel:
        free = [letter for letter in string.ascii_lowercase if letter not in self._keys]
        lines = [Text(clean(line)) for line in (card.reason, *card.lines) if line.strip()]
        if card.buttons:
            lines.append(self._buttons(card.buttons, free))
        return Panel(Text("\n").join(lines), title=Text(clean(card.title), style="bold"), title_align="left")

    def _buttons(self, buttons: Sequence[Button], marks: Sequence[str]) -> Text:
        shown = []
        for mark, button in zip(marks, buttons, strict=False):
            self._keys[mark] = button
            shown.append(Text(" ".join(filter(None, (f"[{mark}]", clean(button.label), button.tel, button.url)))))
        return Text("  ").join(shown)

    async def settling(self, destination: str) -> None:
        """Nothing to show."""

    async def leave(self, group_id: str) -> None:
        """There are no groups here."""

    async def close(self) -> None:
        """Nothing to close."""
