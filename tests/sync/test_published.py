"""The published schemas and the code that speaks: an independent validator reads what a world really said."""

import json
from collections import Counter
from functools import cache
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from sync import seal, wire
from tests.sync import asyncapi
from tests.sync.test_wire import SAMPLES
from tests.world.runner import Job, live, vfs
from tests.world.world import World

QUIET: Final = Job(5, 0.1, kinds=())
"""People and no faults: what is said there is what the contract means."""
JUNK: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    1.5,
    2**63,
    "",
    "x" * 300,
    "\x00",
    [],
    [1],
    {},
    {"a": 1},
    "ab" * 32,
)
PUBLISHED: Final = asyncapi.document()["components"]


@cache
def validator(where: str, name: str) -> Draft202012Validator:
    part = PUBLISHED[where][name]
    schema = part["payload"] if where == "messages" else part
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def wrong(where: str, name: str, value: Any) -> list[str]:
    return [
        f"{name}: {error.json_path}: {error.message}"[:300]
        for error in validator(where, name).iter_errors(value)
    ]


@pytest.fixture(scope="module")
def said() -> list[tuple[str, dict[str, Any]]]:
    """Topic and body of every frame that went through the broker of a world, both ways."""
    frames: list[tuple[str, bytes]] = []

    def listens(world: World) -> None:
        publish = world.broker.publish

        def heard(topic: str, payload: bytes, *, qos: int, retain: bool, expiry_s: int | None) -> int:
            frames.append((topic, payload))
            return publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)

        world.broker.publish = heard  # type: ignore[method-assign]  # listens, changes nothing

    live(QUIET, vfs(), watchers=(listens,))
    return [(topic, json.loads(frame[seal.HEAD_BYTES :])) for topic, frame in frames if frame]


@pytest.mark.rule("LKR-37")
def test_what_goes_over_the_wire_fits_the_published_schemas(said: list[tuple[str, dict[str, Any]]]) -> None:
    kinds: Counter[str] = Counter()
    for topic, body in said:
        assert wrong("messages", body["kind"], body) == []
        kinds[f"{topic.split('/')[-2]} {body['kind']}"] += 1
    print(*(f"{kind}: {count}" for kind, count in sorted(kinds.items())), sep="\n")
    ways = {"up link", "up up_log", "up state", "up up_ack", "up tele", "dn hello", "dn dn_log", "dn dn_ack"}
    assert ways <= set(kinds)


@pytest.mark.rule("LKR-35")
def test_what_the_logs_hold_fits_the_published_schemas(said: list[tuple[str, dict[str, Any]]]) -> None:
    types: Counter[str] = Counter()
    for _, body in said:
        if body["kind"] == "up_log":
            for text, part in zip(body["entries"], body["personal"], strict=True):
                entry = json.loads(text)
                assert wrong("schemas", entry["type"], entry) == []
                if part and "text" in part:
                    assert wrong("schemas", f"{entry['type']}.personal", json.loads(part["text"])) == []
                types[entry["type"]] += 1
        elif body["kind"] == "dn_log":
            for text in body["entries"]:
                entry = json.loads(text)
                assert wrong("schemas", f"{entry['type']}.said", entry) == []
                types[f"{entry['type']}.said"] += 1
    print(*(f"{kind}: {count}" for kind, count in sorted(types.items())), sep="\n")
    assert {"SubmissionDeposited", "ItemPickedUp", "PickupCodeMade", "AuthorisationGranted.said"} <= set(
        types
    )


@pytest.mark.rule("LKR-34")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_schema_and_reader_take_and_refuse_the_same(sample: wire.Payload) -> None:
    """Each field in turn holds something else, or is missing."""
    body, kind = json.loads(wire.encode(sample)), type(sample)
    disagree = []
    for name in body:
        for junk in (*JUNK, ...):
            changed = {key: junk if key == name else value for key, value in body.items()}
            if junk is ...:
                del changed[name]
            by_schema = not wrong("messages", wire.KINDS[kind], changed)
            if by_schema != _reads(kind, changed):
                disagree.append(f"{name} = {junk!r}: the schema {'takes' if by_schema else 'refuses'} it")
    assert disagree == []


def _reads(kind: type[Any], body: dict[str, Any]) -> bool:
    try:
        wire.decode(kind, json.dumps(body).encode())
    except wire.WireError:
        return False
    return True
