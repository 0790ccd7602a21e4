"""Which channel is next, how long it rests, and when nobody is disturbed."""

import pytest

from sync.central.messages import routes
from sync.central.messages.quiet import HOUR_MS, until_ms
from sync.central.messages.routes import PATIENCE_MS, TRIES, Tried
from sync.central.messages.settings import Channel

NAMES = ["sms", "voice"]


def tried(*turns: tuple[str, int], every_ms: int = 1_000) -> list[Tried]:
    channels = [channel for channel, count in turns for _ in range(count)]
    return [Tried(channel, at * every_ms) for at, channel in enumerate(channels)]


@pytest.mark.parametrize(
    ("turns", "following"),
    [
        ([], "sms"),
        ([("sms", 1)], "sms"),
        ([("sms", TRIES - 1)], "sms"),
        ([("sms", TRIES)], "voice"),
        ([("sms", TRIES), ("voice", 1)], "voice"),
        ([("sms", TRIES), ("voice", TRIES)], "sms"),
        ([("sms", TRIES), ("voice", TRIES), ("sms", TRIES)], "voice"),
        ([("gone", 1)], "sms"),
    ],
)
def test_channels_take_turns(turns: list[tuple[str, int]], following: str) -> None:
    failed = tried(*turns)
    assert routes.following(NAMES, failed, len(failed) * 1_000) == following


def test_one_try_that_hangs_for_long_is_enough_for_the_next_channel() -> None:
    assert routes.following(NAMES, tried(("sms", 1)), PATIENCE_MS - 1) == "sms"
    assert routes.following(NAMES, tried(("sms", 1)), PATIENCE_MS) == "voice"


def test_who_has_one_channel_keeps_it() -> None:
    failed = tried(("sms", 40))
    assert routes.following(["sms"], failed, 10 * PATIENCE_MS) == "sms"
    assert routes.pause_ms(["sms"], failed, 10 * PATIENCE_MS) == routes.LONGEST_WAIT_MS


def test_pauses_double_and_a_new_channel_begins_anew() -> None:
    pauses = [routes.pause_ms(NAMES, tried(("sms", count)), count * 1_000) for count in range(1, TRIES + 1)]
    assert pauses == [2_000, 4_000, 8_000, 16_000, 2_000]


def test_only_channels_for_a_message_are_asked_in_their_order() -> None:
    channels = [Channel("b", order=2), Channel("a", order=2), Channel("c", templates=("receipt",), order=1)]
    assert routes.of(channels, "receipt") == ["c", "a", "b"]
    assert routes.of(channels, "pickup_code") == ["a", "b"]


@pytest.mark.parametrize(
    ("hour", "waits"), [(21.99, 0), (22, 9), (23.5, 7.5), (0, 7), (6.5, 0.5), (7, 0), (12, 0)]
)
def test_nobody_is_disturbed_from_22_to_7(hour: float, waits: float) -> None:
    now_ms = 20_000 * 24 * HOUR_MS - 8 * HOUR_MS + round(hour * HOUR_MS)
    assert until_ms(now_ms, 480, (22, 7)) - now_ms == round(waits * HOUR_MS)


def test_quiet_hours_may_lie_within_a_day_or_be_none() -> None:
    noon_ms = 20_000 * 24 * HOUR_MS + 12 * HOUR_MS
    assert until_ms(noon_ms, 0, (11, 14)) - noon_ms == 2 * HOUR_MS
    assert until_ms(noon_ms, 0, (14, 16)) == noon_ms
    assert until_ms(noon_ms, 0, (12, 12)) == noon_ms
