"""A mail server that takes what it is given, by the letter of RFC 5321, and keeps it."""

import socketserver
import threading
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Self


@dataclass(frozen=True)
class Letter:
    """One delivered mail: its envelope, and what is inside."""

    sender: str
    recipients: tuple[str, ...]
    content: Message

    @property
    def words(self) -> str:
        """Subject and every text part, decoded."""
        parts = [part.get_payload(decode=True) for part in self.content.walk() if part.get_content_maintype() == "text"]
        subject = str(self.content["subject"] or "")
        return "\n".join([subject, *(part.decode() for part in parts if isinstance(part, bytes))])


class SmtpTwin:
    """Listens on the loopback while it is open; `letters` are what arrived."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        letters = self.letters

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 mail.example.jp")
                sender, recipients = "", list[str]()
                while line := self.rfile.readline():
                    verb, _, rest = line.decode("ascii").strip().partition(" ")
                    match verb.upper():
                        case "EHLO" | "HELO":
                            self._say("250 mail.example.jp")
                        case "MAIL":
                            sender = rest.partition("<")[2].partition(">")[0]
                            self._say("250 OK")
                        case "RCPT":
                            recipients.append(rest.partition("<")[2].partition(">")[0])
                            self._say("250 OK")
                        case "DATA":
                            self._say("354 go on")
                            letters.append(Letter(sender, tuple(recipients), message_from_bytes(self._until_dot())))
                            self._say("250 OK")
                        case "QUIT":
                            self._say("221 bye")
                            return
                        case _:
                            self._say("502 not known here")

            def _until_dot(self) -> bytes:
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line[1:] if line.startswith(b"..") else line)
                return b"".join(lines)

            def _say(self, words: str) -> None:
                self.wfile.write(f"{words}\r\n".encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """As an operator writes it into the settings."""
        return f"mailto://127.0.0.1:{self._server.server_address[1]}?from=desk@example.jp"
