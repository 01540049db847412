"""Which Host headers are ours (R29)."""

from urllib.parse import urlsplit

from bot.settings import Settings


def allowed_hosts(settings: Settings) -> list[str]:
    """The host of BASE_URL, and loopback for the machine itself; the demo is reached only there."""
    outside = urlsplit(settings.base_url).hostname or "localhost"
    return sorted({outside, "127.0.0.1", "localhost", "::1", "[::1]"})
