"""The table of the reconnect, row by row."""

from dataclasses import replace
from typing import Any

import pytest

from sync import wire
from sync.edge.hello import Facts, Outcome, judge

NONCE, EPOCH, HASH = "3a" * 16, "ab" * 16, "12" * 32
HELLO = wire.Hello("loc-1", NONCE, 5, EPOCH, 7, HASH, EPOCH, 0, 2)
FACTS = Facts(NONCE, EPOCH, oldest=1, head=9, stored_hash=HASH)


@pytest.mark.rule("LKR-12")
@pytest.mark.rule("LKR-16")
@pytest.mark.parametrize(
    ("claims", "facts", "outcome"),
    [
        ({}, {}, Outcome.FOLLOW),
        ({"stored_to": 9}, {}, Outcome.FOLLOW),
        ({"stored_to": 0, "hash": wire.ZERO}, {"stored_hash": wire.ZERO}, Outcome.FOLLOW),
        ({}, {"oldest": 8}, Outcome.FOLLOW),
        ({}, {"nonce": ""}, Outcome.STALE),
        ({"nonce": "3b" * 16}, {}, Outcome.STALE),
        ({"nonce": "3b" * 16, "stored_to": 99}, {}, Outcome.STALE),
        ({}, {"answered_ms": 5}, Outcome.FOLLOW),
        ({}, {"answered_ms": 6}, Outcome.STALE),
        ({"up_epoch": "cd" * 16}, {}, Outcome.SUPERSEDED),
        ({"stored_to": 10}, {"stored_hash": None}, Outcome.LOST_ROWS),
        ({}, {"oldest": 9, "stored_hash": None}, Outcome.HOLE),
        ({"hash": "13" * 32}, {}, Outcome.FORKED),
    ],
)
def test_row(claims: dict[str, Any], facts: dict[str, Any], outcome: Outcome) -> None:
    assert judge(replace(HELLO, **claims), replace(FACTS, **facts)) is outcome
