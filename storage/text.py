"""The one cleaning of text that comes from outside (R5), and whether words were made of other words (R8)."""

from collections.abc import Iterable


def clean(text: str) -> str:
    """Make NUL and lone surrogates visible escapes; keep every other character as sent (rare kanji, variation selectors, emoji)."""
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = "".join(f"\\u{ord(letter):04x}" if 0xD800 <= ord(letter) <= 0xDFFF else letter for letter in text)
    return text


def letters(text: str) -> str:
    """Only its letters: what is left alike when numbers, spaces and marks were taken out."""
    return "".join(filter(str.isalpha, text))


def made_of(kept: str, said: Iterable[str]) -> bool:
    """Whether something that is kept repeats what was said, whole, shortened (…), put together (／) or without numbers; or says it all and more."""
    parts = [part.strip().rstrip("…") for part in kept.split("／")]
    return any(_repeats(part, words) for part in parts if part for words in said)


def _repeats(part: str, words: str) -> bool:
    if part in words:
        return True
    told, all_told = letters(part), letters(words)
    return len(told) > 1 and len(all_told) > 1 and (told in all_told or all_told in told)
