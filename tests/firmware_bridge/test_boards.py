"""Profiles come as data and are checked before anything is sent with them."""

from importlib import resources

import pytest

from firmware_bridge import boards
from firmware_bridge.boards.profile import QUALITIES, Modbus
from firmware_bridge.errors import ProfileError


def text(name: str = "waveshare-d8") -> str:
    return resources.files(boards).joinpath(f"{name}.toml").read_text("utf-8")


@pytest.mark.parametrize("name", boards.names())
def test_all_profiles_load(name: str) -> None:
    profile = boards.load(name)
    assert profile.name == name
    assert profile.title
    assert profile.manual
    assert profile.quality in QUALITIES


def test_a_board_whose_inputs_could_drive_its_relays_is_asked() -> None:
    for name in boards.names():
        profile = boards.load(name)
        if name.startswith("waveshare"):
            assert isinstance(profile.speech, Modbus)
            assert profile.speech.modes is not None
            assert profile.speech.modes.absent_ok == (profile.inputs is None)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("pulse_max_ms = 1000", "pulse_max_ms = 2100", "≤ 2000 ms"),
        ("pulse_default_ms = 500", "pulse_default_ms = 5000", "≤ 2000 ms"),
        ("pulse_default_ms = 500", "pulse_default_ms = 550", "whole multiples"),
        ("pulse_default_ms = 500", "pulse_default_ms = true", "of the wrong kind"),
        ("pulse_default_ms = 500", 'pulse_default_ms = "500"', "of the wrong kind"),
        ("pulse_default_ms = 500", "", "lacks pulse_default_ms"),
        ("[locks]", "[locks]\ncolour = 1", "unknown key"),
        ("[locks]", "[padlocks]", "unknown key"),
        ("[modbus.pulse]", "[modbus.push]", "unknown key"),
        ("min = 1", "min = 0", "within 1 to 247"),
        ("max = 247", "max = 255", "within 1 to 247"),
        ("function = 3", "function = 5", "must be a read"),
        ("function = 1", "function = 5", "must be a read"),
        ('kind = "flash"', 'kind = "burst"', "one of command"),
        ('kind = "flash"', 'kind = "level"', "may open all doors"),
        ('kind = "flash"', 'kind = "timed"', "and experimental"),
        ('quality = "bronze"', 'quality = "good"', "one of bronze"),
        ("gap_ms = 5 ", "drain_ms = 5000 ", "0 to 1000"),
        ("[inputs]", "[inputs]\nclosed_level = 2", "0 or 1"),
        ("[inputs]", "[inputs]\nbelieve_reads = 1", "2 to 5"),
        ("channels = 8", "channels = 0", "1 to 64"),
        ("reply_timeout_ms = 200", "reply_timeout_ms = 5000", "at most 1000"),
        ("gap_ms = 5 ", "gap_ms = 500 ", "0 to 50"),
        ("openings_per_hour = 60", "openings_per_hour = 0", "one opening an hour"),
        ("01 05 00 FF 00 00 FD FA", "01 05 00 FF FF 00 BC 0A", "value 00 00"),
        ("01 05 00 FF 00 00 FD FA", "00 05 00 FF 00 00 FC 2B", "literal FC05 frame"),
        ("01 05 00 FF 00 00 FD FA", "all off", "is not hex"),
        ('codec = "modbus"', 'codec = "morse"', "there are kerong"),
        ("[transport]", "[transport", "file"),
        ("[modbus.inputs]", "[modbus.outputs]", "unknown key"),
    ],
)
def test_profiles_that_do_not_hold(old: str, new: str, words: str) -> None:
    assert old in text()
    with pytest.raises(ProfileError, match=words):
        boards.parse("mine", text().replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("xor8a-24", "status_bytes = 3", "status_bytes = 1", "2 or more"),
        ("xor8a-24", "status_bytes = 3", "status_bytes = 2", "a bit for every input"),
        ("xor8a-24", "high_first = true", "timed = true", "1000 where the order carries seconds"),
    ],
)
def test_what_a_family_needs(name: str, old: str, new: str, words: str) -> None:
    assert old in text(name)
    with pytest.raises(ProfileError, match=words):
        boards.parse("mine", text(name).replace(old, new))
