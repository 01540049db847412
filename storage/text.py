"""The one cleaning of text that comes from outside (R5)."""


def clean(text: str) -> str:
    """Make NUL and lone surrogates visible escapes; keep every other character as sent (rare kanji, variation selectors, emoji)."""
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = "".join(f"\\u{ord(letter):04x}" if 0xD800 <= ord(letter) <= 0xDFFF else letter for letter in text)
    return text
