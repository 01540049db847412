"""Which LINE stickers mean yes (D13): only those of LINE's own packages, by the words LINE itself gives them.

LINE sends up to 15 keywords with a sticker, chosen anew each time when there are more, so a sticker is only believed when a word for yes
is there and no word of doubt is. Whatever is not believed is an ordinary sticker: the resident is asked in words. A sticker is never a consent.
Source: developers.line.biz/en/docs/messaging-api/sticker-list/ (packages) and …/reference/messaging-api/#wh-sticker (keywords).
"""

from collections.abc import Iterable

_PACKAGES = {
    "446", "789", "1070", "6136", "6325", "6359", "6362", "6370", "6632", "8515", "8522", "8525", "11537", "11538", "11539",
}  # fmt: skip
_YES = {"ok", "okay", "yes", "thumbs up", "thumbsup", "like", "got it", "roger", "sure", "right"}
_DOUBT = {"no", "ng", "sad", "cry", "crying", "tears", "angry", "tired", "sorry", "help", "hurt", "sick", "die", "dead", "depressed", "please"}


def means_yes(package: str, keywords: Iterable[object]) -> bool:
    """True for a sticker of the known packages whose keywords say yes and nothing else."""
    words = {word.lower() for word in keywords if isinstance(word, str)}
    return package in _PACKAGES and bool(words & _YES) and not words & _DOUBT
