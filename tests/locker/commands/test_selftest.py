"""What the control socket answers about self-tests: bad wishes are problems, who asks is who is journaled."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from locker.commands.selftest import answers
from locker.control import Answer
from locker.domain.events import SelfTestBegan
from locker.domain.ids import CompartmentNumber, StaffId
from tests.locker.operations.tested import Site


@pytest.fixture
async def site() -> Site:
    return await Site.start()


@pytest.fixture
def asked(site: Site) -> Mapping[str, Answer]:
    return answers(site.tester)


def test_these_three_are_answered(asked: Mapping[str, Answer]) -> None:
    assert set(asked) == {"selftest start", "selftest progress", "selftest stop"}


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"door": [1]}, "unknown key 'door'"),
        ({"doors": 1}, "a list of compartment numbers"),
        ({"doors": ["1"]}, "a list of compartment numbers"),
        ({"doors": [True]}, "a list of compartment numbers"),
        ({"doors": [0]}, "a list of compartment numbers"),
        ({"doors": [1, 1]}, "each door is named once"),
        ({"doors": list(range(1, 1_002))}, "at most 1000"),
        ({"doors": [99]}, "there is no such door"),
        ({"poll_s": 0}, "poll_s is a whole number from 1 to 3600"),
        ({"poll_s": 1.5}, "poll_s is a whole number"),
        ({"close_s": 601}, "close_s is a whole number from 1 to 600"),
        ({"go_on": 1}, "go_on is true or false"),
    ],
    ids=str,
)
async def test_a_wish_that_cannot_be_meant_starts_nothing(
    site: Site, asked: Mapping[str, Answer], wish: Mapping[str, Any], problem: str
) -> None:
    answer = await asked["selftest start"]({"do": "selftest start", "uid": 0, **wish})
    assert answer["ok"] is False
    assert problem in answer["problem"]
    assert not site.tester.running


async def test_who_asks_is_who_is_journaled(site: Site, asked: Mapping[str, Answer]) -> None:
    question = {"do": "selftest start", "uid": 1_000, "doors": [1], "poll_s": 1}
    assert await asked["selftest start"](question) == {"run": 1}
    again = await asked["selftest start"](question)
    assert (again["ok"], "another self-test runs" in again["problem"]) == (False, True)
    runner = asyncio.ensure_future(site.tester.run())
    await asyncio.wait({runner}, timeout=0.01)
    assert site.m.journal.events(SelfTestBegan) == [
        SelfTestBegan(StaffId("console/1000"), (CompartmentNumber(1),)),
    ]
    answer = await asked["selftest progress"]({"do": "selftest progress", "uid": 1_000, "after": 1})
    assert (answer["run"], answer["running"], answer["next"]) == (1, True, 1 + len(answer["facts"]))
    assert answer["facts"][0]["kind"] == "Step"
    assert await asked["selftest stop"]({"do": "selftest stop", "uid": 1_000}) == {"run": 1}
    for _ in range(20):
        await asyncio.wait({runner}, timeout=0)
        await site.m.settle()
    runner.cancel()
    rest = await asked["selftest progress"]({"after": 0, "uid": 0})
    assert (rest["running"], rest["facts"][0]["kind"], rest["facts"][-1]["kind"]) == (False, "Began", "Ended")


@pytest.mark.parametrize("after", [-1, "0", None, 1.0, True])
async def test_a_cursor_is_a_number(asked: Mapping[str, Answer], after: object) -> None:
    assert (await asked["selftest progress"]({"after": after}))["ok"] is False
