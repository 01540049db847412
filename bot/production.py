"""What `PROFILE=production` asks for before it starts (design.md §5, security.md)."""

from urllib.parse import urlsplit

from bot.settings import Settings


def missing_for_production(settings: Settings) -> list[str]:
    """One line in Japanese for each thing that is missing; empty in the demo."""
    if settings.profile != "production":
        return []
    checks = [
        (settings.secure, "MADOGUCHI_BASE_URL を https:// で始まる外からの住所にしてください。"),
        (settings.master_key_file.exists(), f"MADOGUCHI_MASTER_KEY_FILE の {settings.master_key_file} がありません（madoguchi master-key）。"),
        (bool(settings.alarm_urls.strip()), "MADOGUCHI_ALARM_URLS に、緊急のときに鳴らす先（メールなど）を書いてください。"),
        (not _loopback_only(settings) or bool(settings.trusted_proxies), "MADOGUCHI_TRUSTED_PROXIES に、前に立つプロキシの住所を書いてください。"),
        (
            not _trusts_everybody(settings),
            "MADOGUCHI_TRUSTED_PROXIES は、前に立つプロキシの住所だけにしてください（* や /0 では、だれの名のりも信じます）。",
        ),
        (
            not settings.webhook_urls.strip() or settings.webhook_secret is not None,
            "MADOGUCHI_WEBHOOK_SECRET に、連携先への知らせに署名する秘密を書いてください。",
        ),
        ("sample-town" not in settings.knowledge.parts, "MADOGUCHI_KNOWLEDGE に、あなたの町のフォルダーを書いてください（見本の町のままです）。"),
    ]
    return [words for fine, words in checks if not fine]


def _trusts_everybody(settings: Settings) -> bool:
    """Whether anybody who reaches us may say where they come from: every limit of tries would count for nothing (R28, R29)."""
    return any(one.strip() == "*" or one.strip().endswith("/0") for one in settings.trusted_proxies.split(","))


def _loopback_only(settings: Settings) -> bool:
    return urlsplit(f"//{settings.host}").hostname in {"127.0.0.1", "localhost", "::1"}
