"""The words of the wire: what is said is read, and nothing else is."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locker.domain import chain
from sync import wire
from tests.sync import asyncapi

DOC: Final = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()
HASH: Final = "12" * 32
EPOCH: Final = "ab" * 16
NONCE: Final = "3a" * 16
SAMPLES: Final[list[wire.Payload]] = [
    wire.Link("loc-1", True, EPOCH, 3, 1, 9, 1, HASH, "", 0, wire.ZERO, NONCE, "1.0", ""),
    wire.UpBatch("loc-1", EPOCH, 1, 2, wire.ZERO, ("a", "b"), (None, wire.Kept("00", "王")), HASH),
    wire.UpBatch("loc-1", EPOCH, 7, 7, HASH, ("a",), (wire.Purged(HASH),), HASH),
    wire.DownBatch("loc-1", EPOCH, 1, 1, wire.ZERO, ("a",), HASH),
    wire.State(
        "loc-1", EPOCH, 4, (wire.DoorState(1, 1, "vacant", "closed", "absent"),), ("A/1",), 5, "ntp", 7, "1"
    ),
    wire.UpAck("loc-1", "", 0),
    wire.Tele("loc-1", EPOCH, 1, 1, 5, -6, "unset", 3, 2, 50, {"hello:stale": 1}, 0),
    wire.Hello("loc-1", NONCE, 5, EPOCH, 0, wire.ZERO, EPOCH, 0, 2),
    wire.DownAck("loc-1", EPOCH, 3, HASH, False, 2, 5),
    wire.CentralLink(True, "hub-1", 5),
]
WRONG: Final[tuple[Any, ...]] = (None, 1.5, [[]], {"a": "b"}, "\ud800")
HELLO: Final = json.loads(wire.encode(SAMPLES[7]))


def hello_with(**changes: Any) -> bytes:
    return json.dumps({k: v for k, v in (HELLO | changes).items() if v is not ...}).encode()


@pytest.mark.rule("LKR-34")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: type(s).__name__)
def test_what_is_said_is_read(sample: wire.Payload) -> None:
    body = wire.encode(sample)
    assert wire.decode(type(sample), body) == sample
    assert json.loads(body)["v"] == 1
    # What a later version adds does not hurt.
    assert wire.decode(type(sample), json.dumps(json.loads(body) | {"later": [1]}).encode()) == sample
    for other in wire.KINDS:
        if other is not type(sample):
            with pytest.raises(wire.WrongField):
                wire.decode(other, body)


@pytest.mark.rule("LKR-34")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: type(s).__name__)
def test_every_field_is_needed_and_of_its_type(sample: wire.Payload) -> None:
    values = json.loads(wire.encode(sample))
    for name in values:
        missing = {k: v for k, v in values.items() if k != name}
        with pytest.raises((wire.WrongField, wire.UnknownVersion)):
            wire.decode(type(sample), json.dumps(missing).encode())
        for wrong in WRONG:
            with pytest.raises((wire.WrongField, wire.UnknownVersion)):
                wire.decode(type(sample), json.dumps(values | {name: wrong}).encode())


@pytest.mark.rule("LKR-34")
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", wire.Unreadable),
        (b"\xff", wire.Unreadable),
        (b"[]", wire.Unreadable),
        (b"1", wire.Unreadable),
        (b"[" * 90_000, wire.Unreadable),
        (b'{"a":' * 20_000, wire.Unreadable),
        (b"9" * 90_000, wire.Unreadable),
        (b'{"v":1,"v":1}', wire.Unreadable),
        (b'{"v":NaN}', wire.Unreadable),
        (b"{}", wire.UnknownVersion),
        (b'{"v":2,"kind":"hello"}', wire.UnknownVersion),
        (b'{"v":true,"kind":"hello"}', wire.UnknownVersion),
        (b'{"v":1.0,"kind":"hello"}', wire.UnknownVersion),
        (hello_with(kind="ack"), wire.WrongField),
        (hello_with(nonce=...), wire.WrongField),
        (hello_with(nonce=NONCE.upper()), wire.WrongField),
        (hello_with(nonce=NONCE + "00"), wire.WrongField),
        (hello_with(nonce=NONCE + "\n"), wire.WrongField),
        (hello_with(window=True), wire.WrongField),
        (hello_with(window="2"), wire.WrongField),
        (hello_with(window=65), wire.WrongField),
        (hello_with(stored_to=-1), wire.WrongField),
        (hello_with(stored_to=2**63), wire.WrongField),
        (hello_with(locker="Loc"), wire.WrongField),
        (hello_with(locker="x" * 33), wire.WrongField),
        (b" " * (wire.BODY_BYTES_MAX + 1), wire.TooLarge),
    ],
)
def test_what_does_not_fit_is_named(body: bytes, error: type[wire.WireError]) -> None:
    with pytest.raises(error) as raised:
        wire.decode(wire.Hello, body)
    assert raised.value.kind == "hello"
    assert len(str(raised.value)) < 400


@pytest.mark.rule("LKR-34")
@given(st.binary(max_size=200))
def test_noise_is_an_error_of_ours(noise: bytes) -> None:
    for kind in wire.KINDS:
        with pytest.raises(wire.WireError):
            wire.decode(kind, noise)


def test_what_the_other_end_would_refuse_is_not_said() -> None:
    with pytest.raises(wire.WrongField):
        wire.encode(replace(SAMPLES[7], window=-1))  # type: ignore[arg-type]
    big = ("\u0001" * 60_000,)
    with pytest.raises(wire.TooLarge):
        wire.encode(replace(SAMPLES[3], entries=big))  # type: ignore[arg-type]
    with pytest.raises(wire.WrongField):
        wire.encode(replace(SAMPLES[3], entries=("x",) * 101))  # type: ignore[arg-type]


@pytest.mark.rule("LKR-37")
def test_topics() -> None:
    for (way, name), how in wire.DELIVERIES.items():
        address = (wire.up if way is wire.Way.UP else wire.down)("loc-1", name)
        assert wire.parse_topic(address.topic) == address
        row = next(line for line in DOC.splitlines() if line.startswith(f"| `{{locker}}/{way}/{name}`"))
        expiry = f"{how.expiry_s} s" if how.expiry_s else "–"
        assert [cell.strip() for cell in row.split("|")[3:6]] == [
            str(how.qos),
            "yes" if how.retain else "no",
            expiry,
        ]
    for bad in ("", "x", "doclocker/v1/loc-1/up", "doclocker/v2/loc-1/up/log", "doclocker/v1/Loc/up/log"):
        with pytest.raises(wire.BadTopic):
            wire.parse_topic(bad)
    for bad in ("doclocker/v1/loc-1/up/hello", "doclocker/v1/loc-1/up/log/x", "doclocker/v1/_central/link"):
        with pytest.raises(wire.BadTopic):
            wire.parse_topic(bad)
    with pytest.raises(wire.BadTopic):
        wire.up("loc/1", wire.Name.LOG)
    assert wire.every_locker(wire.Name.LOG) == "doclocker/v1/+/up/log"
    assert wire.everything_down("loc-1") == "doclocker/v1/loc-1/dn/#"


@pytest.mark.rule("LKR-37")
def test_the_published_interface_is_the_one_spoken() -> None:
    assert asyncapi.FILE.read_text() == asyncapi.rendered(), "python -m tests.sync.asyncapi writes it anew"


def vector() -> wire.UpBatch:
    texts = ('{"v":1,"seq":1}', '{"v":1,"seq":2}')
    personal = (None, wire.Kept(bytes(range(16)).hex(), '{"name":"王*"}'))
    hashes = [line.split()[-1] for line in DOC.splitlines() if line.startswith("hash of ")]
    return wire.UpBatch("loc-1", EPOCH, 1, 2, wire.ZERO, texts, personal, hashes[1])


@pytest.mark.rule("LKR-35")
def test_the_published_hashes() -> None:
    batch = vector()
    first, second = wire.up_hashes(batch)
    assert f"hash of 1             {first.hex()}" in DOC
    assert f"hash of 2             {second.hex()}" in DOC
    digest = wire.personal_digest(batch.personal[1])
    assert f"personal digest of 2  {digest.hex()}" in DOC
    purged = replace(batch, personal=(None, wire.Purged(digest.hex())))
    assert wire.up_hashes(purged) == (first, second)


@pytest.mark.rule("LKR-35")
@pytest.mark.parametrize(
    "change",
    [
        {"hash": HASH},
        {"prev": HASH},
        {"from_seq": 2, "to_seq": 3, "prev": HASH},
        {"to_seq": 3},
        {"entries": ()},
        {"entries": ('{"v":1,"seq":2}', '{"v":1,"seq":1}')},
        {"personal": (None,)},
        {"personal": (None, None)},
    ],
)
def test_a_broken_chain(change: dict[str, Any]) -> None:
    with pytest.raises(wire.BrokenChain):
        wire.up_hashes(replace(vector(), **change))


@pytest.mark.rule("LKR-24")
def test_a_batch_has_a_limit() -> None:
    text = "x" * 40_000
    link = chain.link(
        chain.link(chain.START, chain.leaf(text.encode(), chain.personal_digest(b"", b""))), b""
    )
    batch = wire.UpBatch("loc-1", EPOCH, 1, 2, wire.ZERO, (text, text), (None, None), link.hex())
    with pytest.raises(wire.TooLarge):
        wire.up_hashes(batch)
    assert wire.kept("", b"", wire.personal_digest(None)) is None


ANY_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.rule("LKR-34")
@given(st.sampled_from(SAMPLES), ANY_JSON, st.data())
def test_whatever_a_field_holds_it_is_read_or_named(
    sample: wire.Payload, value: Any, data: st.DataObject
) -> None:
    values = json.loads(wire.encode(sample))
    values[data.draw(st.sampled_from(sorted(values)))] = value
    try:
        read = wire.decode(type(sample), json.dumps(values).encode())
    except wire.WireError:
        return
    assert wire.decode(type(sample), wire.encode(read)) == read
