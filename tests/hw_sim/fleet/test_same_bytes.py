"""Two writings of one contract: for the same facts the simulator and the product make the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest

from hw_sim.fleet import frames
from hw_sim.fleet.journal import Journal, Shelf, Stamp
from hw_sim.fleet.visits import Fact
from locker.domain import chain, entry
from locker.domain.deposit import Phase
from locker.domain.encoding import canonical
from locker.domain.fold import fold
from locker.domain.state import LockerState
from sync import seal, wire
from tests.hw_sim.fleet.lives import EPOCH, NAME, OWN, SEAL, life

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[2] / "golden" / "wire.json").read_text("utf-8"))


def test_a_frame() -> None:
    golden = GOLDEN["frame"]
    seed, body = bytes.fromhex(golden["seed"]), golden["body"].encode()
    signer, key = frames.Signer.of(seed), seal.SigningKey.from_seed(seed)
    assert signer.frame(body).hex() == seal.frame(key, body).hex() == golden["hex"]
    assert frames.Trusted.of(key.public).opened(seal.frame(key, body)) == body
    assert seal.open_frame(signer.frame(body), seal.keyring(signer.public)) == body


@pytest.mark.parametrize("place", [0, 1, 9, 73, -1])
def test_a_frame_with_one_bit_turned_is_nobodys(place: int) -> None:
    frame = bytearray(bytes.fromhex(GOLDEN["frame"]["hex"]))
    frame[place] ^= 1
    trusted = frames.Trusted.of(frames.Signer.of(bytes.fromhex(GOLDEN["frame"]["seed"])).public)
    with pytest.raises(frames.NotSignedError):
        trusted.opened(bytes(frame))


def test_a_chain() -> None:
    previous = frames.ZERO
    for row in GOLDEN["chain"]:
        salt = bytes.fromhex(row["salt"])
        previous = frames.linked(previous, row["public"], frames.personal_digest(salt, row["personal"]))
        assert previous.hex() == row["hash"]


def test_an_entry(tmp_path: Path) -> None:
    golden = GOLDEN["entry"]
    journal = Journal(Shelf(tmp_path / "one"), 0, EPOCH)
    stamp = Stamp(golden["boot"], golden["mono"], golden["time"], golden["tq"])
    journal.commit([(Fact(golden["type"], golden["cause"], golden["data"]), stamp)], b"")
    (row,) = journal.rows(0, 10)
    assert (row.public, row.hash.hex()) == (golden["public"], golden["hash"])


def test_a_sealed_text() -> None:
    golden = GOLDEN["seal"]
    key = seal.SealKey.from_private(bytes.fromhex(golden["private"]))
    text = frames.sealed(
        golden["plain"], key.public, bytes.fromhex(golden["ephemeral"]), bytes.fromhex(golden["nonce"])
    )
    assert text == golden["text"]
    assert seal.unseal(key, text) == canonical(golden["plain"])


def test_every_entry_of_a_life_is_one_that_a_locker_writes_and_lives_by(tmp_path: Path) -> None:
    journal = life(tmp_path, 600).journal
    state, previous = LockerState(), frames.ZERO
    types = set()
    for row in journal.rows(0, journal.head):
        seq, stamp, cause, event = entry.read(row.public, row.personal)
        again = entry.write(seq, stamp, cause, event, row.salt, previous)
        ours, theirs = json.loads(row.public), json.loads(again.public)
        assert canonical(ours) == row.public
        # A field that came later and says nothing is all that may be missing.
        assert [value for name, value in theirs["data"].items() if name not in ours["data"] and value] == []
        assert {**theirs, "data": None} == {**ours, "data": None}
        digest = chain.personal_digest(row.salt, row.personal.encode())
        assert chain.link(previous, chain.leaf(row.public.encode(), digest)) == row.hash
        state, previous = fold(state, seq, stamp, event), row.hash
        types.add(type(event).__name__)
    assert previous == journal.head_hash
    assert {"HeadSigned", "ReceiptIssued", "PickupCodeMade", "SubmissionTaken", "ItemPickedUp"} <= types
    ended = {deposit.phase for deposit in state.deposits.values()}
    assert {Phase.TAKEN_IN, Phase.COLLECTED} <= ended
    assert Phase.UNCONFIRMED not in ended


def test_what_is_signed_and_sealed_in_it_holds(tmp_path: Path) -> None:
    journal = life(tmp_path, 400).journal
    rows = journal.rows(0, journal.head)
    for row in rows:
        body = json.loads(row.public)
        kind, data = body["type"], body["data"]
        if kind == "HeadSigned":
            before = rows[data["seq"] - 1]
            assert (row.seq, data["hash"]) == (data["seq"] + 1, before.hash.hex())
            text = f"{EPOCH}:{before.seq}:{before.hash.hex()}"
        elif kind == "ReceiptIssued":
            text = data["text"]
        elif kind == "PickupCodeMade":
            assert set(json.loads(seal.unseal(SEAL, data["sealed"]))) == {"typed", "scan"}
            continue
        else:
            continue
        assert seal.verify(OWN.public, bytes.fromhex(data["signature"]), text.encode()), kind


def test_a_batch_is_read_link_by_link(tmp_path: Path) -> None:
    journal = life(tmp_path, 120).journal
    fact = Fact("StaffEnrolled", "centre", {"staff": "a", "roles": ["helper"]}, {"name": "王*"})
    journal.commit([(fact, Stamp(1, 1, 1))], b"s" * 16)
    after = 0
    while after < journal.head:
        batch = journal.batch(NAME, after)
        words = wire.decode(wire.UpBatch, batch.body)
        assert wire.encode(words) == batch.body
        assert wire.up_hashes(words)[-1] == journal.hash_at(batch.to_seq)
        assert len(words.entries) <= wire.BATCH_ENTRIES_MAX
        assert (words.from_seq, words.to_seq) == (batch.from_seq, batch.to_seq) == (after + 1, batch.to_seq)
        after = batch.to_seq
    assert words.personal[-1] == wire.Kept((b"s" * 16).hex(), '{"name":"王*"}')


@pytest.mark.parametrize(("letters", "fits"), [("x" * 20_000, 3), ("\n" * 20_000, 1), ('"' * 10_800, 1)])
def test_a_batch_that_would_be_too_large_is_shorter(tmp_path: Path, letters: str, fits: int) -> None:
    """By its texts, and by what JSON makes of them."""
    journal = Journal(Shelf(tmp_path / "one"), 0, EPOCH)
    journal.commit([(Fact("Stopped", "x", {"reason": letters}), Stamp(1, 1, 1)) for _ in range(5)], b"")
    batch = journal.batch(NAME, 0)
    assert batch.to_seq == fits
    assert wire.encode(wire.decode(wire.UpBatch, batch.body)) == batch.body
