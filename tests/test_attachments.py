"""Pictures and papers: known by content, made anew, sealed, shown to who may read the case, gone with their words (R34, R35)."""

import asyncio
import contextlib
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from bot.jobs import fetching
from bot.made_anew import NotTaken, made_anew
from bot.outside import InnerAddress, NotFetched, fetch, public_address
from storage import attachments, desk_cases, staff
from storage.desk_queue import Viewer
from storage.refusals import Missing
from tests.test_reception import post
from tests.town import Town

_HERE = b"35.6812N,139.7671E"


def photo(*, size: tuple[int, int] = (40, 20), form: str = "JPEG") -> bytes:
    """A picture that says where it was taken, in EXIF and in a comment, with something hidden behind its end."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = _HERE.decode()
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", size, "red").save(out, form, exif=exif, **({"comment": _HERE} if form == "JPEG" else {}))
    return out.getvalue() + b"<script>" + _HERE


@pytest.mark.requirement("R34")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_drawn_anew_without_place_or_hidden_parts(form: str) -> None:
    kind, body = made_anew(photo(form=form) if form != "GIF" else photo(form="PNG"))
    assert kind == "jpeg"
    assert _HERE not in body
    assert b"<script>" not in body
    with Image.open(io.BytesIO(body)) as seen:
        assert not seen.getexif()
        assert seen.size == (40, 20)
        assert seen.convert("RGB").getpixel((20, 10))[0] > 200


@pytest.mark.requirement("R34")
@pytest.mark.parametrize(
    "content",
    [
        b"", b"MZ\x90\x00 a program", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", b"<html><script>x()</script>", b"GIF89a",
        b"PK\x03\x04", photo()[:60], b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"%!PS-Adobe", b"II*\x00" + b"\0" * 60,
    ],
)  # fmt: skip
def test_what_is_no_picture_whatever_it_calls_itself_is_not_taken(content: bytes) -> None:
    with pytest.raises(NotTaken):
        made_anew(content)


@pytest.mark.requirement("R34")
@pytest.mark.parametrize("side", [7_100, 20_000])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(side: int) -> None:
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    with pytest.raises(NotTaken, match="pixels"):
        made_anew(out.getvalue())


def _lead(town: Town) -> Viewer:
    now = town.clock.now()

    def join(rows: object) -> Viewer:
        member = staff.accept(rows, staff.invite(rows, role="lead", now=now), login="l", name="高橋", password_hash="!", now=now)
        return Viewer(member.id, member.name, member.role, f"staff:{member.id}")

    return town.store.transact(join)


def _fetched(town: Town, *, left_wanted: bool = False) -> list[tuple[str, str | None]]:
    """State and reason of every file, once all have come to an end; with `left_wanted`, some time after all were tried."""
    town.until(lambda: not town.rows(f"SELECT id FROM attachment WHERE state = 'wanted' {'AND tries = 0' * left_wanted}"))
    if left_wanted:
        town.on_loop(asyncio.sleep(0.3))
    return [tuple(row) for row in town.rows("SELECT state, problem FROM attachment ORDER BY id")]


@pytest.mark.requirement("R34")
@pytest.mark.parametrize("channel", ["line", "telegram"])
def test_a_photo_of_a_case_is_fetched_sealed_and_read_only_by_who_may(town: Town, channel: str, tmp_path: Path) -> None:
    viewer, resident = _lead(town), town.resident_on(channel).says("人と話したい")
    resident.taps("渡す")
    resident.sends_picture(photo())
    assert _fetched(town) == [("kept", None)]
    now = town.clock.now()

    (code,), (found,) = town.rows("SELECT code FROM care_case")[0], town.rows("SELECT id FROM attachment")[0]
    body = town.store.transact(lambda rows: attachments.read(rows, viewer, code, found, now)).body
    assert body.startswith(b"\xff\xd8\xff")
    assert _HERE not in body
    editor = Viewer("e", "鈴木", "editor", "staff:e")
    for who, case, one in ((editor, code, found), (viewer, "AAA-AAAA", found), (viewer, code, "0" * 32)):
        with pytest.raises(Missing):
            town.store.transact(lambda rows, who=who, case=case, one=one: attachments.read(rows, who, case, one, now))
    assert "attachment.read" in [act for (act,) in town.rows("SELECT act FROM audit")]
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("madoguchi.db*"))
    assert body[100:160] not in stored
    file = town.store.transact(lambda rows: desk_cases.open_file(rows, viewer, code, now))
    assert [one.state for one in file.files.values()] == ["kept"]


@pytest.mark.requirement("R34")
def test_a_disguised_file_is_refused_and_the_words_with_it_are_kept(town: Town) -> None:
    resident = town.resident_on("telegram").comes()
    resident.sends_picture(b"MZ a program")
    assert _fetched(town) == [("refused", "unknown_kind")]
    assert "受けとりました" in resident.hears()


@pytest.mark.requirement("R34", "R8")
def test_a_picture_that_was_unsent_is_gone_with_its_line(town: Town) -> None:
    resident = town.resident_on("line").says("こんにちは")
    picture = town.line.image(resident.account, photo())
    assert post(town, picture) == 200
    assert _fetched(town) == [("kept", None)]
    assert post(town, town.line.unsend(resident.account, json.loads(picture.body)["events"][0]["message"]["id"])) == 200
    assert _fetched(town) == []


@pytest.mark.requirement("R34")
def test_beyond_the_residents_share_files_are_refused_and_lines_kept(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_OF_ONE", 1)
    resident = town.resident_on("line").says("こんにちは")
    resident.sends_picture(photo())
    resident.sends_picture(photo())
    assert _fetched(town) == [("kept", None), ("refused", "too_many")]


@pytest.mark.requirement("R34")
@pytest.mark.parametrize(("command", "state"), [("true", ("kept", None)), ("false", ("refused", "scanner")), ("/no/such/scanner", ("wanted", None))])
def test_the_towns_scanner_decides_and_without_it_nothing_unseen_is_kept(build_town, town_store, command: str, state: tuple[str, str | None]) -> None:
    with build_town(town_store, scanner=command) as town:
        town.resident_on("line").says("こんにちは").sends_picture(photo())
        assert _fetched(town, left_wanted=state[0] == "wanted") == [state]


@pytest.mark.requirement("R34")
def test_a_scanner_that_hangs_is_ended_and_its_file_waits_for_the_next_try(build_town, town_store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_SCAN_SECONDS", 0.2)
    with build_town(town_store, scanner="sleep 98765.4321") as town:
        town.resident_on("line").says("こんにちは").sends_picture(photo())
        assert _fetched(town, left_wanted=True) == [("wanted", None)]
        town.until(lambda: town.rows("SELECT tries FROM attachment")[0][0] >= 1)
        town.on_loop(fetching.Fetching(town.parts).sweep())
        town.until(lambda: not _runs("98765.4321"))


def _runs(word: str) -> bool:
    """Whether a process with this word on its command line is alive."""
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            command = one.read_bytes()
            if command.startswith(b"sleep\0") and word.encode() in command:
                return True
    return False


@pytest.mark.requirement("R35")
@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1", "0.0.0.0", "localhost", "2130706433", "::ffff:127.0.0.1", "fd00::1",
        "2002:a00:1::1", "64:ff9b::a00:1",
    ],
)  # fmt: skip
async def test_inner_addresses_are_never_called(host: str) -> None:
    with pytest.raises((InnerAddress, OSError)):
        await public_address(host, 80)


@pytest.mark.requirement("R35")
@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://[::1", "ftp://example.jp/x"])
async def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises((NotFetched, ValueError)):
        await fetch(url, most=10)


@pytest.mark.requirement("R35")
@pytest.mark.parametrize("path", ["../../bot42/getMe", "/etc/passwd", "a/../b", "http://evil.example/x", "a?b", "a#b", "a b", "a//b", ""])
def test_a_path_from_a_platform_is_checked_before_it_is_part_of_an_address(path: str) -> None:
    from bot.channels.telegram import _FILE_PATH

    assert not _FILE_PATH.fullmatch(path)
    assert _FILE_PATH.fullmatch("photos/file_12.jpg")
