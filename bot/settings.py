"""Settings: read once from the environment or `.env` (prefix `MADOGUCHI_`), passed in from then on (design.md §5)."""

import os
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_MOST_HEARERS = 8
"""Where nobody says how many: a container may see all cores of a large machine and have the use of few."""
ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """All settings, each with what happens when it is left out."""

    model_config = SettingsConfigDict(env_prefix="MADOGUCHI_", env_file=".env", extra="ignore", frozen=True)

    profile: Literal["demo", "production"] = "demo"
    """`demo` listens on loopback only, shows 見本 on every page and makes its own key file."""
    database_url: str = "sqlite:///var/madoguchi.db"
    """SQLite file, or `postgresql+psycopg://user:password@host/database`."""
    knowledge: Path = ROOT / "knowledge" / "sample-town"
    """The town's folder of YAML."""
    base_url: str = "http://127.0.0.1:8000"
    """How residents and staff reach this server from outside; decides links, cookies and allowed hosts."""
    host: str = "127.0.0.1"
    port: int = 8000
    master_key_file: Path = Path("var/master.key")
    retiring_key_file: Path | None = None
    """The master key before, while `madoguchi rotate-key` puts the new one in its place (R40)."""
    trusted_proxies: str = ""
    """Addresses whose X-Forwarded-* headers are believed, comma-separated; empty = none (R29)."""

    line_channel_secret: SecretStr | None = None
    line_channel_access_token: SecretStr | None = None
    line_api_host: str = "https://api.line.me"
    line_data_host: str = "https://api-data.line.me"
    line_mode: Literal["talk", "entrance"] = "talk"

    telegram_token: SecretStr | None = None
    telegram_secret: SecretStr | None = None
    telegram_mode: Literal["webhook", "polling"] = "webhook"
    telegram_use: Literal["talk", "entrance"] | None = None
    """As `line_mode`, for Telegram; left out, it follows `line_mode` (R14)."""
    telegram_base_url: str = "https://api.telegram.org/bot"
    telegram_file_url: str = "https://api.telegram.org/file/bot"

    settle_seconds: float = Field(default=2.0, ge=0, le=25)
    """How long free text waits for the resident to go on writing; 0 answers at once (D13)."""
    reply_minutes: int = Field(default=120, ge=1)
    """How soon a coordinator promises to answer in opening hours (D8)."""
    return_minutes: int = Field(default=15, ge=1)
    """How long the coordinator of a resident who comes back has to react before the case waits for everybody (D8e)."""
    held_after_hours: float = 6.0
    """Replies older than this wait for a human's release (R11)."""
    keep_years: int = Field(default=1, ge=1)
    """A talk is erased when so many whole 年度 have passed since it ended (R41); the town's `retention` says the same in words."""
    alarm_urls: str = ""
    """apprise addresses, separated by spaces or commas, rung after the desk's own banner (desk.md §9)."""
    mail_url: str = ""
    """The town's mail server as an apprise address without a recipient: people of the 当番表 are called through it.
    `mailtos://user:password@smtp.example.jp?from=desk@example.jp`"""
    webhook_urls: str = ""
    """Addresses of the town's other systems that hear of cases opened and closed and of referrals answered, separated by spaces or commas."""
    webhook_secret: SecretStr | None = None
    """Signs every call to them; without it none is made."""
    inner_hosts: str = ""
    """Hosts inside the town's own network that `webhook_urls` and `oidc_issuer` may lead to, separated by spaces or commas; all others must be
    public (R35)."""
    metrics_token: SecretStr | None = None
    backup_recipient: str = ""
    """Public key (`age1…`) that backups are encrypted for; its private half is kept away from this machine (R49)."""
    backup_folder: Path = Path("var/backups")
    backup_keep_days: int = Field(default=30, ge=1)
    """Backups older than this are deleted by the next one; the newest always stays (R41)."""
    oidc_issuer: str = ""
    """The town's own directory of staff (OpenID Connect), as it names itself; with `oidc_client_id` the sign-in page leads there too (R26)."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    scanner: str = ""
    """Command that gets every attachment on its standard input and ends with 0 for a clean one; without it only kinds are checked (R34)."""
    hearers: int | None = Field(default=None, ge=0)
    """Processes that hear what residents write, beside the one that stores it; left out, one for each core up to eight, none where there is one core
    only."""
    embedding: str = ""
    """The town's own embedding model beside our channels, as `package.module:function` (bot/embedding.py); empty = none. One that is hosted elsewhere
    sends residents' words away."""
    max_body: int = 1_000_000
    """Largest request body in bytes (R4)."""
    body_seconds: float = Field(default=30.0, gt=0)
    """How long a body may take to come, besides a second for each 20 kB that are allowed (R4)."""

    live_pages: int = Field(default=30, ge=1)
    """How many pages of one resident, or of one member of staff, stay live at once in one process; a further stream is answered 429 (R6)."""
    live_pages_from_address: int = Field(default=1_000, ge=1)
    """The same for all residents behind one address: many homes behind one mobile network have room. Their pages go on by asking now and then."""
    api_per_minute: int = Field(default=600, ge=1)
    """Calls of /api/v1 with one token in a minute, over all processes; further ones are answered 429 with Retry-After (R6)."""

    @field_validator("base_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def kept_folder(self) -> Path:
        """Where what was built from the knowledge lies for the next start: readable by us only, as the key is."""
        return self.master_key_file.parent / "kept"

    @property
    def heads_file(self) -> Path:
        """Where the heads of the audit's chain lie, outside the database (R43)."""
        return self.master_key_file.parent / "audit-heads"

    @property
    def hearing_processes(self) -> int:
        """None but on Linux: elsewhere a process cannot be forked so safely, or has no such sockets. None beside an embedding model: it may hold
        threads, which no fork survives."""
        if self.embedding:
            return 0
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
        if self.hearers is not None:
            return self.hearers
        return min(cores, _MOST_HEARERS) if cores > 1 else 0

    @property
    def secure(self) -> bool:
        """Cookies are `__Host-` and Secure when the outside address is https (R27)."""
        return urlsplit(self.base_url).scheme == "https"

    @property
    def entrances(self) -> frozenset[str]:
        """Platforms that only open the private room on our own page (R14)."""
        modes = {"line": self.line_mode, "telegram": self.telegram_use or self.line_mode}
        return frozenset(name for name, mode in modes.items() if mode == "entrance")

    @property
    def may_lie_inside(self) -> frozenset[str]:
        return frozenset(self.inner_hosts.replace(",", " ").split())

    @property
    def directory_ready(self) -> bool:
        """In production only over https: what comes back decides who somebody is."""
        safe = self.profile == "demo" or urlsplit(self.oidc_issuer).scheme == "https"
        return bool(self.oidc_issuer and self.oidc_client_id) and safe

    @property
    def line_ready(self) -> bool:
        return self.line_channel_secret is not None and self.line_channel_access_token is not None

    @property
    def telegram_ready(self) -> bool:
        """A webhook needs its secret (R1); polling needs only the token."""
        return self.telegram_token is not None and (self.telegram_mode == "polling" or self.telegram_secret is not None)
