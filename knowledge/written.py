"""How single values are written: telephone numbers, times, dates, yes and no. Text in, value out, or a Japanese complaint that says what to write.

A number or an hour is never tidied silently: what residents see is what staff typed (R50), so a full-width digit is an error with its answer.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from knowledge.said import QUOTES, clock_said, clocks_said, day_of_excel, day_said, is_no_day

_TEL: Final = re.compile(r"#\d{3,5}|\d{3,5}|0\d{9,10}|0\d{1,5}(?:-\d{1,6}){1,3}", re.ASCII)
_ELEVEN_DIGITS: Final = re.compile(r"0[25-9]0|00")
"""How numbers of eleven digits begin: 020, 050, 060, 070, 080, 090, 0800; all others have ten. 00 stands in samples and is no number."""
_NOTHING: Final = frozenset(("なし", "無し", "無", "ない", "特になし", "とくになし"))
_BULLETS: Final = "－−―—–•●○◯・ー"
_CLOCK: Final = re.compile(r"(翌)?([01]?\d|2[0-4]):([0-5]\d)")
_YEARLESS: Final = re.compile(r"(\d{1,2})[/月](\d{1,2})日?(?:\([月火水木金土日]\))?")
_CALLED: Final = re.compile(r"^(?:TEL|Tel|tel|電話番号?|代表|℡)\s*[:.]?\s*(?=[0-9(#])")
LONGEST_ID: Final = 58
"""Bytes: a button carries `!card:` and the id in the 64 bytes Telegram allows."""
_MAIL: Final = re.compile(r"[^\s@\"'<>:]+@[^\s@\"'<>]+\.[^\s@\"'<>]+", re.ASCII)
_LIKE_DIGITS: Final = str.maketrans("OoIl", "0011")
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−ー－﹣", "-"))
_TRUTHS: Final = {"true": "true", "yes": "true", "はい": "true", "on": "true", "false": "false", "no": "false", "いいえ": "false", "off": "false"}
DAY: Final = 24 * 60


def wrong(code: str, message: str, hint: str, suggestion: str | None = None) -> PydanticCustomError:
    """A complaint that keeps its hint apart; `suggestion` is the one right way to write the value, if there is one."""
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint, "suggestion": suggestion})


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        raise wrong("empty", "値が空です", "言葉を書くか、使わないなら行を消してください。")
    if isinstance(value, dict) and len(value) == 1:
        [(before, after)] = value.items()
        if (after is None or isinstance(after, str)) and not re.fullmatch(r"[a-z_]+", before):
            said = f"{before}: {after or ''}".strip()
            raise wrong("colon_in_value", "言葉の中の「: 」で、項目として読まれました", f'"{said}" のように、全体を " で囲んでください。')
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        joined = "".join(part if part.endswith("。") else f"{part}、" for part in value).rstrip("、")
        raise wrong("shape", "ここは一つの言葉です（いまは一覧）", f"「{joined}」のように、値を一つだけ書いてください。")
    kind = "一覧" if isinstance(value, list | tuple) else "「項目: 値」のかたまり"
    raise wrong("shape", f"ここは一つの言葉です（いまは{kind}）", "値を一つだけ書いてください。")


def half_width(text: str) -> str:
    """Digits, letters and the - of a number as a keyboard types them, whatever was typed."""
    return unicodedata.normalize("NFKC", text).translate(_DASHES).strip()


def tel(value: object) -> str:
    """0120-000-000, 0312345678, 110, #8008: ASCII digits and hyphens, as typed."""
    if isinstance(value, list) and len(value) > 1:
        raise wrong("tel", "電話番号が二つあります", _ONE_NUMBER)
    text = _text(value)
    if _is_tel(text):
        return text
    half = _CALLED.sub("", half_width(text).strip(QUOTES))
    half = re.sub(r"^\((\d+)\)\s*", r"\1-", half)
    half = re.sub(r"\s*\((\d+)\)\s*", r"-\1-", half)
    if half != text and _is_tel(half):
        reason = "全角の数字です" if re.search(r"[０-９＃]", text) else "電話番号に使えない記号があります"
        raise wrong("full_width_digits", reason, f"半角の「{half}」にしますか。", half)
    if (digits := half.translate(_LIKE_DIGITS)) != half and _is_tel(digits):
        raise wrong("tel", "電話番号に英字が入っています", f"数字の 0（ゼロ）や 1 なら、「{digits}」にしますか。", digits)
    raise wrong("tel", *_why_no_tel(half))


_ONE_NUMBER: Final = "一つの窓口に一つの番号です。もう一つは「- name: …」の行を足して、そこに書いてください。"


def _is_tel(text: str) -> bool:
    digits = text.replace("-", "")
    most = 11 if _ELEVEN_DIGITS.match(digits) else 10
    return bool(_TEL.fullmatch(text)) and (len(text) <= 6 or len(digits) == most or (len(digits) == 10 and digits.startswith("00")))


def _why_no_tel(half: str) -> tuple[str, str]:
    """What is wrong, and what to write."""
    numbers = re.findall(r"0\d{1,4}-\d{1,4}-\d{3,4}", half)
    if not half or half in _NOTHING or half in ("-", "未定", "不明", "確認中"):
        return "電話番号ではありません", "番号がないとき、わからないときは null と書いてください。"
    if re.fullmatch(r"〒?\s*\d{3}-\d{4}", half):
        return "電話番号ではなく、郵便番号のようです", "電話は、市外局番から 10 桁で書いてください。郵便番号は place の address に書きます。"
    if len(numbers) < 2 and re.fullmatch(r"[\d-]+", half, re.ASCII):
        digits = half.replace("-", "")
        if digits[0] != "0" and len(digits) >= 8:
            return "先頭の 0 がありません", f"Excel などで 0 が消えたのかもしれません。「0{half}」でよいか、確かめてください。"
        right = "050・070・080・090 などで始まる番号は 11 桁です。" if re.match(r"0[25-9]0", digits) else "市外局番から 10 桁です。"
        return f"電話番号の桁数がちがいます（{len(digits)} 桁）", f"{right}短い番号は「110」や「#8008」のように書きます。"
    if len(numbers) > 1 and re.search(r"fax|ファク?ッ?クス|ファクス", half, re.IGNORECASE):
        return "電話とファクスが、いっしょに書かれています", "電話だけを tel に書き、ファクスは、下に「fax: …」の行を足して書いてください。"
    if len(numbers) > 1:
        return "電話番号が二つあります", _ONE_NUMBER
    if "内線" in half or "(" in half or numbers:
        only = f"「{numbers[0]}」のように、" if numbers else ""
        return "電話番号のほかの言葉が入っています", f"{only}番号だけを書き、内線などは name に書いてください。"
    if half.startswith("+81"):
        return "国番号（+81）は使えません", "0 から始まる番号にしてください。"
    if re.fullmatch(r"\d\.\d+E\+\d+", half, re.ASCII):
        return "電話番号の形ではありません", "Excel が数として書きかえたようです。もとの番号を見て、打ちなおしてください。"
    if re.fullmatch(r"[\d\s.・/-]+", half, re.ASCII):
        return "電話番号の形ではありません", f"「{re.sub(r'[^0-9]+', '-', half).strip('-')}」のように「-」で区切ってください。"
    if (letters := re.search(r"[A-Za-z]{2,}", half)) and half[:1] == "0":
        return f"電話番号に文字（{letters[0]}）が入っています", "語呂合わせや説明は書かず、数字になおして書いてください。"
    return "電話番号の形ではありません", "市外局番から、半角の数字と「-」で書いてください。短い番号は「110」や「#8008」のように書きます。"


def clock(value: object) -> str:
    """9:00, 17:15, 24:00, and 翌5:00 for the end of a night; kept as typed. `minutes` reads it."""
    text = _text(value)
    if _CLOCK.fullmatch(text) and minutes(text) <= (2 * DAY if text.startswith("翌") else DAY):
        return text
    better = clock_said(text)
    if better is not None and better != text and _CLOCK.fullmatch(better):
        code = "full_width_digits" if re.search(r"[０-９：]", text) else "clock"
        raise wrong(code, f"「{text}」は時刻として読めません", f"半角の「{better}」にしますか。", better)
    if both := clocks_said(text):
        hint = f'「from: "{both[0]}"」と「to: "{both[1]}"」の、二つの行に分けてください。'
        raise wrong("two_clocks", f"「{text}」は、始まりと終わりの二つです", hint)
    late = re.fullmatch(r"(2[4-9]|3\d):([0-5]\d)", half_width(text))
    next_day = f"翌{int(late[1]) - 24}:{late[2]}" if late else "翌5:00"
    hint = f"9:00 や 17:15 のように、半角で書いてください。夜をまたぐ終わりは {next_day} です。"
    raise wrong("clock", f"「{text}」は時刻として読めません", hint)


def minutes(text: str) -> int:
    """Minutes from midnight of a valid clock text; 翌 adds a day."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[2]) * 60 + int(found[3]) + (DAY if found[1] else 0)


def day(value: object) -> date:
    """2026-10-01."""
    if isinstance(value, date):
        return value
    if isinstance(value, list) and len(value) > 1:
        raise wrong("date", "日付が二つあります", _ONE_DAY)
    text = _text(value)
    better = day_said(text)
    if better is not None and text == better.isoformat():
        return better
    if is_no_day(text):
        raise wrong("no_such_day", f"「{text}」という日はありません", "暦を確かめてください。")
    if better is not None:
        raise wrong("date", "日付の形がちがいます", f"「{better}」にしますか。", better.isoformat())
    if serial := day_of_excel(text):
        raise wrong("date", "日付の形ではありません", f"Excel の中の日付の番号のようです。「{serial}」でよいか、確かめてください。")
    if re.fullmatch(r"(\d{4}年|(?:令和|R)\d{1,2}[年.])\d{1,2}月?|\d{4}[-/.]\d{1,2}", half_width(text)):
        raise wrong("date", "日付に日がありません", "2026-10-01 のように、年-月-日を半角で書いてください。")
    if _YEARLESS.fullmatch(half_width(text)):
        raise wrong("date", "日付に年がありません", "2026-10-01 のように、年-月-日を半角で書いてください。")
    if len(re.findall(r"\d{4}[-/.年]", text)) > 1:
        raise wrong("date", "日付が二つあります", _ONE_DAY)
    raise wrong("date", "日付の形ではありません", "2026-10-01 のように、年-月-日を半角で書いてください。")


_ONE_DAY: Final = "一つの行に一つの日です。つづく日は「- {title: …, on: …}」の行を分けて書いてください。"


def truth(value: object) -> bool:
    """true or false, nothing else: 「no」 may mean anything."""
    if isinstance(value, bool):
        return value
    text = _text(value)
    if text in ("true", "false"):
        return text == "true"
    better = _TRUTHS.get(half_width(text).lower())
    raise wrong("truth", f"「{text}」は使えません", f"「{better}」にしますか。" if better else "true か false を書いてください。", better)


def degrees(value: object) -> float:
    """A latitude or longitude in decimal degrees."""
    if isinstance(value, float):
        return value
    text = _text(value)
    if re.fullmatch(r"-?\d{1,3}(\.\d+)?", text, re.ASCII):
        return float(text)
    better = half_width(text).replace(",", ".").rstrip("度°")
    known = better if re.fullmatch(r"\d{1,3}(\.\d+)?", better) else None
    hint = "35.6586 のように、半角の小数で書いてください。" + (f"「{known}」にしますか。" if known else "")
    raise wrong("degrees", f"「{text}」は緯度・経度の数ではありません", hint, known)


def url(value: object) -> str:
    """An address that begins with https:// or http://."""
    text = _text(value)
    if re.fullmatch(r"https?://[^\s\"'<>、，]+", text) and text.count("://") == 1:
        return text
    if text.count("://") > 1:
        raise wrong("url", "ウェブの住所が二つあります", "一つだけを書いてください。もう一つは、別の窓口（「- name: …」の行）に書けます。")
    half = half_width(text).strip(QUOTES)
    if _MAIL.fullmatch(half):
        raise wrong("url", "ウェブの住所ではなく、メールの住所です", f"「mail: {half}」の行に書いてください。")
    better = half if re.fullmatch(r"https?://[!-~]+", half) else None
    hint = f"半角の「{better}」にしますか。" if better else "https:// から始めて、空白を入れずに書いてください。"
    raise wrong("url", "ウェブの住所の形ではありません", hint, better)


def mail(value: object) -> str:
    text = _text(value)
    if _MAIL.fullmatch(text):
        return text
    half = re.sub(r"^mailto:|^.*<([^<>]+)>$", r"\1", half_width(text).strip(QUOTES))
    better = half if _MAIL.fullmatch(half) else None
    hint = f"半角の「{better}」にしますか。" if better else "fukushi@example.lg.jp のように、半角で書いてください。"
    raise wrong("mail", "メールの住所の形ではありません", hint, better)


def ident(value: object) -> str:
    """An id: any word without blanks that a button can carry. Lint asks for kebab-case; other people's bases need not know that."""
    text = _text(value)
    if text and text.isprintable() and not re.search(r"[\s\"'<>&/\\:]", text) and len(text.encode()) <= LONGEST_ID:
        return text
    hint = f"半角の英小文字・数字・「-」で、{LONGEST_ID} 文字までで書いてください（例: food-bank）。"
    raise wrong("id", f"「{text[:80]}」は使えません", hint)


LANGUAGES_CALLED: Final = {
    "日本語": "ja", "やさしい日本語": "easy", "英語": "en", "えいご": "en", "中国語": "zh", "韓国語": "ko", "ポルトガル語": "pt", "スペイン語": "es",
    "ベトナム語": "vi", "タガログ語": "tl", "フィリピン語": "tl", "ネパール語": "ne", "インドネシア語": "id", "タイ語": "th", "ミャンマー語": "my",
    "english": "en", "chinese": "zh", "portuguese": "pt", "vietnamese": "vi", "korean": "ko", "japanese": "ja", "spanish": "es",
}  # fmt: skip
"""What people call a language → its code."""


def spoken(value: object) -> str:
    """A language spoken at a desk, by its code: an interpreter is promised to whoever writes in it (D12)."""
    text = words(value)
    if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?|easy", text):
        return text
    half = half_width(text).lower()
    better = LANGUAGES_CALLED.get(half) or (half if re.fullmatch(r"[a-z]{2,3}|easy", half) else None)
    hint = f"「{better}」にしますか。" if better else "ja, en, zh, ko, pt, vi のような記号で書いてください。手話や筆談は how に書きます。"
    raise wrong("language", f"「{text}」は言葉の記号ではありません", hint, better)


def words(value: object) -> str:
    """One text that is not empty."""
    text = _text(value)
    if text.strip():
        return text
    raise wrong("empty", "値が空です", "言葉を書くか、わからないときは null と書いてください。")


def listed(value: object) -> object:
    """A list of texts. One text alone is a common slip and cannot be told from a list written with commas, so it is refused."""
    if not isinstance(value, str):
        return value
    if re.match(r"-\S", value):
        raise wrong("list", "一覧として読めません", "- のあとに半角の空白を入れて、「- 」の行を並べてください。")
    if value.strip() in _NOTHING:
        raise wrong("list", "ここは一覧です", "ないときは [] と書くか、行を消してください。", "[]")
    if value[:1] in _BULLETS:
        raise wrong("list", f"ここは一覧です。「{value[:1]}」では行が分かれません", "一行ずつ、半角の「- 」で始めてください。")
    inside = value.strip().strip("［］【】〔〕[]()（）") if re.fullmatch(r"\s*[［〔【(（].*[］〕】)）\]]\s*", value) else value
    parts = [part.strip() for part in re.split(r"[、，,／]", inside)]
    even = unicodedata.normalize("NFKC", inside)
    codes = re.findall(r"T\d\d", even)
    if codes and not re.sub(r"T\d\d|[\s、,/・と]", "", even):
        parts = codes
    better = f"[{', '.join(parts)}]"
    raise wrong("list", "ここは一覧です", f"{better} のように [ ] で囲むか、「- 」の行を並べてください。", better)


def _as(read: Callable[[Any], Any]) -> BeforeValidator:
    return BeforeValidator(read)


Words = Annotated[str, _as(words)]
Id = Annotated[str, _as(ident)]
Tel = Annotated[str, _as(tel)]
Clock = Annotated[str, _as(clock)]
Day = Annotated[date, _as(day)]
Truth = Annotated[bool, _as(truth)]
Degrees = Annotated[float, _as(degrees)]
Url = Annotated[str, _as(url)]
Mail = Annotated[str, _as(mail)]
Texts = Annotated[tuple[Words, ...], _as(listed)]
Languages = Annotated[tuple[Annotated[str, _as(spoken)], ...], _as(listed)]
