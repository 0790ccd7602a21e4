"""What watches over days of noise must notice when the driver is wrong: faults planted in it, each found."""

from typing import Any

import pytest

from firmware_bridge.boards import BoardProfile
from firmware_bridge.bus import Bus
from firmware_bridge.cabinet import Cabinet
from firmware_bridge.codecs import Modbus, modbus, xor8a
from firmware_bridge.debounce import Debounce
from firmware_bridge.request import Pulse, Request, Telegram
from tests.contract.joined import cabinet_of
from tests.contract.life import Life

LONG_S = 60.0


def lived(profile: str, for_s: float = LONG_S, **faults: Any) -> Life:
    joined = cabinet_of(profile, bursts_s=0.01)
    joined.break_it(**faults)
    life = Life(joined, seed=2)
    life.run(for_s, pause_s=1.5)
    return life


@pytest.mark.parametrize(
    ("profile", "faults"),
    [("winnsen-16", {"flip": 0.004}), ("xor8a-24", {"flip": 0.02}), ("waveshare-32", {"request_loss": 0.05})],
)
def test_nothing_is_wrong_without_a_planted_fault(profile: str, faults: dict[str, Any]) -> None:
    assert lived(profile, **faults).wrong == []


def test_one_reading_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Debounce.read

    def at_once(self: Debounce, level: bool, at_s: float) -> bool:
        self.reads, self.slow = 1, frozenset()
        return heard(self, level, at_s)

    monkeypatch.setattr(Debounce, "read", at_once)
    assert any("is believed" in words for words in lived("winnsen-16", flip=0.004).wrong)


def test_checksums_are_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xor8a, "whole", lambda data: len(data) >= xor8a.SHORT_BYTES)
    assert any("is believed" in words for words in lived("xor8a-24", for_s=200, flip=0.05).wrong)


def test_a_pulse_is_sent_again_after_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    unanswered = Bus._unanswered

    def stubborn(self: Bus, now: float) -> None:
        pulse = self._flying()
        if pulse is None:
            unanswered(self, now)
            return
        self._asking = None
        self._exchange.expire(now, 0.05)
        self._limits._fired.clear()
        self._schedule.add(pulse)

    monkeypatch.setattr(Bus, "_unanswered", stubborn)
    assert any("pulses reached its lock" in words for words in lived("waveshare-32", loss=0.2).wrong)


def test_a_lost_board_keeps_its_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cabinet, "_lost", lambda *_: None)
    monkeypatch.setattr(Debounce, "missed", lambda *_: False)
    joined = cabinet_of("waveshare-d8", bursts_s=0.01)
    life = Life(joined, seed=2)
    joined.at(joined.now + 5, lambda: joined.break_it(dead=[1]))
    life.run(LONG_S, pause_s=1.5)
    assert any("is believed" in words for words in life.wrong)


def test_another_lock_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    encode = modbus.encode

    def astray(profile: BoardProfile, address: int, request: Request) -> Telegram:
        if isinstance(request, Pulse):
            request = Pulse(request.board, request.channel % 8 + 1, request.pulse_ms, request.deadline_s)
        return encode(profile, address, request)

    monkeypatch.setattr(Modbus, "encode", staticmethod(astray))
    assert any("nobody sent" in words for words in lived("waveshare-d8").wrong)
