"""The same worry, worse written: all in hiragana, with slips of the finger, between pleasantries. Deterministic."""

from random import Random

from knowledge.hearing.normalise import cut, plain

SLIPS = 0.08
"""Share of characters that go wrong: a third lost, a third replaced, a third swapped with the next."""
_KANA = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん"
_AROUND = (
    ("こんにちは、はじめまして。", "よろしくお願いします。"),
    ("えっと、夜分にすみません。", "忙しいところすみません。今日は寒いですね。"),
    ("いつもお世話になっております。", "ありがとうございます"),
    ("ちょっと聞いてもいいですか。", "あ、急がなくて大丈夫です。"),
)


def hiragana_only(text: str) -> str:
    return cut(plain(text)).sound


def slips(text: str, seed: int) -> str:
    chance = Random(seed)
    written: list[str] = []
    letters = iter(range(len(text)))
    for at in letters:
        if chance.random() >= SLIPS:
            written.append(text[at])
            continue
        kind = chance.random()
        if kind < 1 / 3:
            continue
        if kind < 2 / 3 or at + 1 == len(text):
            written.append(chance.choice(_KANA))
        else:
            written += [text[at + 1], text[at]]
            next(letters)
    return "".join(written)


def chatter(text: str, seed: int) -> str:
    before, after = _AROUND[seed % len(_AROUND)]
    return before + text + after
