"""Finding boards: each kind is found on a simulated line and told apart as far as reads can."""

from collections.abc import Callable, Iterable

import pytest

from firmware_bridge import boards, scan
from firmware_bridge.boards import BoardProfile
from firmware_bridge.codecs import encode, explain
from firmware_bridge.happenings import Frame
from firmware_bridge.request import Bits, Done, Fits, Refused, Reply, Unfit
from firmware_bridge.scan import Found, Question
from hw_sim.boards.profiles import PROFILES
from tests.hw_sim.wired import Wired, cabinet_of

EVERY = tuple(boards.load(name) for name in boards.names())
TWINS = {
    frozenset({"waveshare-d8", "waveshare-io8"}),
    frozenset({"kerong-cu48-modbus", "kerong-cu48-modbus-ff"}),
    frozenset({"winnsen-16", "winnsen-16-duty"}),
    frozenset({"xor8a-8", "xor8a-12", "xor8a-24", "xor8a-24-low", "xor8a-24-timed"}),
}
"""What answers every question alike: which one it is stands on the board."""


def surveyed(
    ask: Callable[[Question], Reply | None],
    addresses: Iterable[int],
    profiles: Iterable[BoardProfile] = EVERY,
) -> tuple[Found, ...]:
    survey = scan.survey(profiles, addresses)
    try:
        question = next(survey)
        while True:
            question = survey.send(ask(question))
    except StopIteration as end:
        found: tuple[Found, ...] = end.value
        return found


def by(wired: Wired) -> Callable[[Question], Reply | None]:
    """Asks a simulated line."""

    def ask(question: Question) -> Reply | None:
        request = scan.request(question.profile, question.ask)
        assert request is not None
        telegram = encode(question.profile, question.address, request)
        matched = telegram.match(wired.ask(telegram.data))
        return matched[0] if matched else None

    return ask


@pytest.mark.parametrize("name", boards.names())
def test_each_kind_is_found_and_named(name: str) -> None:
    wired = cabinet_of(name)
    address = next(plan.address for plan in wired.layout.boards if plan.profile == name)
    found = surveyed(by(wired), [address])
    assert [each.address for each in found] == [address]
    assert name in found[0].profiles
    others = next((twins for twins in TWINS if name in twins), frozenset({name}))
    assert frozenset(found[0].profiles) == others
    assert wired.pulses == []


def test_every_profile_is_simulated() -> None:
    assert set(boards.names()) <= set(PROFILES)


def test_nobody_is_found_where_nobody_is() -> None:
    asked: list[tuple[str, bytes]] = []

    def silence(question: Question) -> None:
        asked.append((question.profile.codec.partition("-")[0], scan.telegram(question)))

    assert surveyed(silence, range(1, 3)) == ()
    # No question is put twice, though many profiles begin with the same one.
    assert len({octets for _, octets in asked}) == len(asked) < 2 * len(EVERY)
    assert {family for family, _ in asked} == {profile.codec.partition("-")[0] for profile in EVERY}


def test_a_gateway_that_says_nobody_is_there_is_believed() -> None:
    assert surveyed(lambda _q: Unfit("exception 11 when asked what it is; wrong profile?"), [5]) == ()


def test_a_board_that_fits_nothing_is_told_with_its_own_words() -> None:
    """Protocol V1: it answers, and says that it is too old."""
    (found,) = surveyed(
        lambda _q: Unfit("register 0x8000 is 100, not 200 or more; wrong profile?"),
        [3],
        [boards.load("waveshare-8")],
    )
    assert (found.address, found.profiles) == (3, ())
    assert "100" in found.against["waveshare-8"]


def test_a_lost_reply_costs_no_board() -> None:
    wired = cabinet_of("waveshare-d8")
    lost: list[Question] = []

    def ask(question: Question) -> Reply | None:
        reply = by(wired)(question)
        if question.ask == "doors" and not lost:
            lost.append(question)
            return None
        return reply

    assert "waveshare-d8" in surveyed(ask, [1])[0].profiles


def test_a_hurried_profile_waits_longer_than_its_board_needs() -> None:
    for profile in EVERY:
        transport = scan.hurried(profile, packets=False).transport
        assert profile.transport.turn_around_ms < transport.reply_timeout_ms
        assert transport.reply_timeout_ms <= profile.transport.reply_timeout_ms
        # A gateway waits for a board that is not there, and what it is asked meanwhile is answered late.
        assert scan.hurried(profile, packets=True).transport.reply_timeout_ms > 1_000


def test_behind_a_gateway_only_modbus_is_spoken() -> None:
    """It would make another telegram of any other family's: nobody knows what that moves."""
    assert scan.askable(EVERY, packets=False) == EVERY
    assert {profile.codec for profile in scan.askable(EVERY, packets=True)} == {"modbus"}


def test_no_question_is_another_familys_order() -> None:
    """Of a Winnsen board at 150 it would be: an 8A board at 7 hears an order to open 21 locks."""
    winnsen = boards.load("winnsen-16")
    poll = scan.telegram(Question(winnsen, 150, "identify"))
    order = explain(boards.load("xor8a-50"), poll)
    assert (order.ok, order.address) == (True, 7)
    assert "in one go" in order.reason
    unasked = [n for n in range(1, 248) if not scan.harmless(winnsen, n)]
    assert unasked == [106, 149, 150]  # in the first two a part of the question is such an order
    asked: list[int] = []

    def silence(question: Question) -> None:
        asked.append(question.address)

    assert surveyed(silence, range(248), [winnsen]) == ()
    assert set(range(1, 248)) - set(asked) == set(unasked)


@pytest.mark.parametrize("name", sorted(set(boards.names()) - {"winnsen-16", "winnsen-16-duty"}))
def test_every_other_kind_is_asked_at_the_addresses_that_switches_set(name: str) -> None:
    profile = boards.load(name)
    addresses = range(profile.address.min, min(32, profile.address.max) + 1)
    assert all(scan.harmless(profile, address) for address in addresses)


def frames(*passed: tuple[bool, str]) -> list[Frame]:
    return [Frame(n, float(n), sent, bytes.fromhex(data)) for n, (sent, data) in enumerate(passed, 1)]


READ, ANSWER = "01 02 00 00 00 08 79 CC", "01 02 01 00 A1 88"


def test_the_line_is_judged_by_its_bytes() -> None:
    board = [Found(1, ("waveshare-d8",), {})]
    assert scan.remarks(board, frames((True, READ), (False, ANSWER))) == ()
    (silent,) = scan.remarks([], frames((True, READ), (True, READ)))
    assert "swap A and B" in silent
    (noise,) = scan.remarks([], frames((True, READ), (False, "FA FD")))
    assert "baud" in noise
    exception = "00 01 00 00 00 03 09 82 0B"
    (behind,) = scan.remarks([], frames((True, READ), (False, exception)), packets=True)
    assert "behind it" in behind
    echoing = frames((True, READ), (False, READ[:8]), (False, READ[8:]), (True, READ))
    assert ["echoes" in said for said in scan.remarks([], echoing)] == [True, False]
    assert ["echoes" in said for said in scan.remarks(board, echoing)] == [True]


def test_what_others_ask_meanwhile_is_none_of_a_scans() -> None:
    passed = frames((True, "00"), (False, "AA"), (True, READ), (False, ANSWER), (True, "00"), (False, "BB"))
    kept = scan.concerning(passed, {bytes.fromhex(READ)})
    assert [frame.n for frame in kept] == [3, 4]


@pytest.mark.parametrize(
    "reply", [None, Bits((True, None, False)), Fits(), Done(), Refused(2), Unfit("too old")]
)
def test_a_reply_survives_the_socket(reply: Reply | None) -> None:
    assert scan.heard(scan.said(reply)) == reply
