"""Every family's parser under random bytes and maimed frames; `soak_fuzz` does more of it."""

from dataclasses import replace

import pytest

from firmware_bridge.codecs import wkly, xor8a
from tests.firmware_bridge import fuzz_parsers

INPUTS = 20_000


@pytest.mark.parametrize("codec", fuzz_parsers.families())
def test_whatever_comes_in_is_understood_rightly_or_not_at_all(codec: str) -> None:
    tally = fuzz_parsers.run(INPUTS, seed=1, codec=codec)
    assert tally["wrong"] == 0
    # Real answers are found among all that, so that it is not silence that is right.
    assert tally["answered"] > INPUTS // 10
    assert tally["silent"] > INPUTS // 10
    assert tally["explained"] > INPUTS // 100


def test_a_parser_without_a_checksum_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xor8a, "whole", lambda data: len(data) >= 5)
    assert fuzz_parsers.run(500, seed=1, codec="xor8a")["wrong"]


def test_a_parser_that_mistakes_open_for_closed_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wkly, "STATES", {0: True, 1: False})
    assert fuzz_parsers.run(500, seed=1, codec="wkly")["wrong"]


def test_a_parser_that_takes_its_echo_for_an_answer_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = xor8a._pulse
    monkeypatch.setattr(xor8a, "_pulse", lambda *asked: replace(pulse(*asked), confirmed_by_echo=False))
    assert fuzz_parsers.run(500, seed=1, codec="xor8a")["wrong"]


def test_the_same_seed_is_the_same_run() -> None:
    assert fuzz_parsers.run(500, seed=3, codec="xor8a") == fuzz_parsers.run(500, seed=3, codec="xor8a")
