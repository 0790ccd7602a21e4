"""What must hold of a profile beyond the kinds of its values."""

from typing import Final

from firmware_bridge.boards.profile import (
    QUALITIES,
    AllOff,
    BoardProfile,
    Kerong,
    Locks,
    Modbus,
    Winnsen,
    Xor8a,
)
from firmware_bridge.errors import ProfileError
from firmware_bridge.request import PULSE_CEILING_MS

ADDRESS_MAX: Final = 247
"""Above it lies what Modbus reserves. 0 is its broadcast; only families that count from 0 have one."""
FROM_ZERO: Final = frozenset({"wkly", "kerong"})
READS: Final = frozenset({1, 2, 3})
PULSE_KINDS: Final = frozenset({"flash", "flash_high", "level", "command", "timed"})
RELEASING: Final = frozenset({"flash", "flash_high", "timed"})
"""Kinds whose coil is off when its value is 0. On any other, "all off" may open every door."""
FRAME_BYTES: Final = 8
REPLY_TIMEOUT_MAX_MS: Final = 1_000
GAP_MAX_MS: Final = 50
SECOND_MS: Final = 1_000
CHANNELS_MAX: Final = 64
BELIEVE_MAX: Final = 5
BELIEVE_UNSUMMED: Final = 3
"""Where frames carry no checksum."""
WORD_LOCKS: Final = 16
"""Of families that number their locks by four bits or one word."""
FIVE_ADDRESS_MAX: Final = 14
STATUS_OFFSETS: Final = frozenset({4, 5})


def check(profile: BoardProfile) -> None:
    """What the kinds alone do not say. Raises ProfileError."""

    def require(holds: bool, field: str, problem: str) -> None:
        if not holds:
            raise ProfileError(profile.name, field, problem)

    least = 0 if profile.codec in FROM_ZERO else 1
    fits = least <= profile.address.min <= profile.address.max <= ADDRESS_MAX
    require(fits, "address", f"within {least} to {ADDRESS_MAX}")
    require(profile.quality in QUALITIES, "quality", f"one of {', '.join(QUALITIES)}")
    has_any = profile.locks is not None or profile.inputs is not None
    require(has_any, "locks", "a board has locks, inputs or both")
    transport = profile.transport
    fits = 0 <= transport.turn_around_ms < transport.reply_timeout_ms <= REPLY_TIMEOUT_MAX_MS
    wanted = f"longer than turn_around_ms, at most {REPLY_TIMEOUT_MAX_MS}"
    require(fits, "transport.reply_timeout_ms", wanted)
    require(0 <= transport.gap_ms <= GAP_MAX_MS, "transport.gap_ms", f"0 to {GAP_MAX_MS}")
    fits = 0 <= transport.drain_ms <= REPLY_TIMEOUT_MAX_MS
    require(fits, "transport.drain_ms", f"0 to {REPLY_TIMEOUT_MAX_MS}")
    for part, channels in (("locks", profile.locks), ("inputs", profile.inputs)):
        fits = channels is None or 1 <= channels.channels <= CHANNELS_MAX
        require(fits, f"{part}.channels", f"1 to {CHANNELS_MAX}")
    if profile.inputs is not None:
        require(profile.inputs.closed_level in {0, 1}, "inputs.closed_level", "0 or 1")
        fits = 1 < profile.inputs.believe_reads <= BELIEVE_MAX
        require(fits, "inputs.believe_reads", f"2 to {BELIEVE_MAX}")
    if profile.locks is not None:
        _check_locks(profile.name, profile.locks)
    _check_speech(profile)
    if profile.all_off is not None:
        _check_all_off(profile, profile.all_off)


def _check_speech(profile: BoardProfile) -> None:
    match profile.speech:
        case Modbus() as modbus:
            _check_modbus(profile, modbus)
        case Kerong() as kerong:
            _check_kerong(profile, kerong)
        case Winnsen():
            _check_winnsen(profile)
        case Xor8a() as xor8a:
            _check_xor8a(profile, xor8a)


def _check_locks(name: str, locks: Locks) -> None:
    pulses = (locks.pulse_min_ms, locks.pulse_default_ms, locks.pulse_max_ms)
    if locks.unit_ms < 1 or not locks.unit_ms <= pulses[0] <= pulses[1] <= pulses[2] <= PULSE_CEILING_MS:
        problem = f"unit ≤ min ≤ default ≤ max ≤ {PULSE_CEILING_MS} ms does not hold"
        raise ProfileError(name, "locks.pulse_max_ms", problem)
    if any(pulse % locks.unit_ms for pulse in pulses):
        raise ProfileError(name, "locks.unit_ms", "pulses are whole multiples of it")
    if locks.cool_down_ms < 0 or locks.opening_gap_ms < 0 or locks.openings_per_hour < 1:
        raise ProfileError(name, "locks", "limits are not negative, and one opening an hour is the least")


def _check_modbus(profile: BoardProfile, modbus: Modbus) -> None:
    def require(holds: bool, field: str, problem: str) -> None:
        if not holds:
            raise ProfileError(profile.name, f"modbus.{field}", problem)

    require(modbus.identify.function in READS, "identify.function", "1, 2 or 3, for it must be a read")
    require((modbus.pulse is None) == (profile.locks is None), "pulse", "goes with [locks]")
    require((modbus.inputs is None) == (profile.inputs is None), "inputs", "goes with [inputs]")
    for field, bits in (("inputs", modbus.inputs), ("coils", modbus.coils)):
        require(
            bits is None or bits.function in READS, f"{field}.function", "1, 2 or 3, for it must be a read"
        )
    if modbus.pulse is None:
        return
    pulse = modbus.pulse
    require(pulse.kind in PULSE_KINDS, "pulse.kind", f"one of {', '.join(sorted(PULSE_KINDS))}")
    if pulse.kind == "timed":
        # We end such a pulse ourselves: that it ended must be seen, and no crash may outlast the next start.
        seen = modbus.coils is not None and profile.all_off is not None and bool(profile.experimental)
        require(seen, "pulse.kind", "timed pulses need [modbus.coils], [all_off] and experimental")


def _check_kerong(profile: BoardProfile, kerong: Kerong) -> None:
    def require(holds: bool, field: str, problem: str) -> None:
        if not holds:
            raise ProfileError(profile.name, field, problem)

    locks = profile.locks.channels if profile.locks else 0
    inputs = profile.inputs.channels if profile.inputs else 0
    require(kerong.frame in {"five", "six"}, "kerong.frame", "five or six")
    if kerong.frame == "five":
        require(
            profile.address.max <= FIVE_ADDRESS_MAX,
            "address",
            f"15 is all boards; {FIVE_ADDRESS_MAX} at most",
        )
        require(locks <= WORD_LOCKS, "locks.channels", f"four bits name {WORD_LOCKS} locks")
        require(inputs <= 2 * WORD_LOCKS, "inputs.channels", f"{WORD_LOCKS} hooks and {WORD_LOCKS} items")
    else:
        require(
            kerong.status_offset in STATUS_OFFSETS, "kerong.status_offset", "4, or 5 behind a length byte"
        )
        require(inputs <= 8 * kerong.status_bytes, "kerong.status_bytes", "hold too few inputs")


def _check_winnsen(profile: BoardProfile) -> None:
    for part, channels in (("locks", profile.locks), ("inputs", profile.inputs)):
        if channels is not None and channels.channels > WORD_LOCKS:
            raise ProfileError(profile.name, f"{part}.channels", f"a board of this family has {WORD_LOCKS}")
    if profile.inputs is not None and profile.inputs.believe_reads < BELIEVE_UNSUMMED:
        problem = f"{BELIEVE_UNSUMMED} or more, for no checksum guards a frame"
        raise ProfileError(profile.name, "inputs.believe_reads", problem)


def _check_xor8a(profile: BoardProfile, speech: Xor8a) -> None:
    # With one status byte the answer about all locks could be the very question.
    channels = profile.inputs.channels if profile.inputs else 0
    if speech.status_bytes < 2 or 8 * speech.status_bytes < channels:  # noqa: PLR2004  # see above
        raise ProfileError(profile.name, "xor8a.status_bytes", "2 or more, with a bit for every input")
    if speech.timed and profile.locks is not None and profile.locks.unit_ms != SECOND_MS:
        raise ProfileError(profile.name, "locks.unit_ms", "1000 where the order carries seconds")


def _check_all_off(profile: BoardProfile, all_off: AllOff) -> None:
    name = profile.name
    try:
        frame = bytes.fromhex(all_off.frame)
    except ValueError as error:
        raise ProfileError(name, "all_off.frame", "is not hex") from error
    speech = profile.speech
    if not (isinstance(speech, Modbus) and speech.pulse and speech.pulse.kind in RELEASING):
        raise ProfileError(
            name, "all_off", "only for boards whose coils are off at 0, or it may open all doors"
        )
    # FC05 with value 0000 is the one write that can only release; on any other this would be an open-all.
    if len(frame) != FRAME_BYTES or frame[:2] != b"\x01\x05" or frame[4:6] != b"\x00\x00":
        raise ProfileError(
            name, "all_off.frame", "must be the literal FC05 frame for address 1 with value 00 00"
        )
