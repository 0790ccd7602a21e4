"""Evidence of a case: untouched it holds and says what it does not show; edited it never passes."""

import asyncio
import hashlib
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same edits every time

import pytest

from locker.journal import verify_evidence
from locker.journal.evidence import EvidenceDoesNotHold, NoSuchCase, Signer, _sealed
from locker.journal.journal import Journal
from locker.journal.verify_evidence import check
from sync import seal
from tests.locker.journal import told_case
from tests.locker.journal.bundle_edits import (
    FILE_EDITS,
    INSIDE_EDITS,
    STRANGERS_EDITS,
    edited_bundles,
    resealed,
)
from tests.locker.journal.histories import SetClock, one_thread, opened
from tests.locker.journal.told_case import CENTRE, KEYS, OWN, SIGNER, STRANGER, bundle, inside, tell

EDITS = 1_500


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("told") / "journal.sqlite3"
    asyncio.run(tell(path))
    return path


@pytest.fixture(scope="module")
def whole(path: Path) -> bytes:
    return bundle(path, personal=True)


# --- what holds ---


def test_untouched_evidence_holds_and_says_what_it_shows(whole: bytes) -> None:
    verdict = check(whole, KEYS)
    assert verdict.wrong == ""
    assert verdict.shown == (
        (
            "10 entries of case C-1, from 8 to 36, stand unaltered and in this order"
            " in the journal of locker loc-1"
        ),
        "the locker signs that these are all entries of the case that it kept up to entry 44",
        "the locker signed its journal up to entry 41 while it went on",
        "the centre countersigned the journal up to entry 44, at 2025-10-09 08:53:20",
        "the keys are those given",
    )
    assert verdict.not_shown == ("what the other 25 entries say: only their hashes are here",)


def test_only_the_case_is_shown_and_what_befell_its_door(whole: bytes) -> None:
    rows = [json.loads(row["public"]) for row in inside(whole)["rows"] if not isinstance(row, str)]
    kinds = [row["type"] for row in rows]
    assert kinds.count("HeadSigned") == 2
    assert [kind for kind in kinds if kind != "HeadSigned"] == [
        type(fact).__name__ for facts in told_case.story("C-1") for fact in facts
    ]
    assert "C-2" not in json.dumps(rows)
    assert "d-4" not in json.dumps(rows)


def test_names_are_in_it_on_request_only(path: Path, whole: bytes) -> None:
    assert "王*明" in inside(whole)["rows"][0]["personal"]
    assert "&#29579;*&#26126;" in whole.decode()
    without = bundle(path)
    assert "personal" not in inside(without)["rows"][0]
    assert b"\\u738b" not in without
    assert b"&#29579;" not in without
    assert check(without, KEYS) == check(whole, KEYS)


async def test_purging_names_leaves_the_verdict_as_it_is(tmp_path: Path) -> None:
    await tell(tmp_path / "j")
    before = bundle(tmp_path / "j", personal=True)
    async with opened(tmp_path / "j") as journal:
        assert await journal.purge_personal(journal.acknowledged) == 2
    after = bundle(tmp_path / "j", personal=True)
    assert "personal" not in inside(after)["rows"][0]
    assert check(after, KEYS) == check(before, KEYS)
    assert check(after, KEYS).wrong == ""


@pytest.mark.parametrize(
    ("countersigned", "missing"),
    [
        ("half", "no countersigned head after entry 26: the last 4 entries of the case are without"),
        ("none", "no countersigned head covers any entry of the case"),
    ],
)
async def test_what_the_centre_has_not_countersigned_is_said(
    tmp_path: Path, countersigned: str, missing: str
) -> None:
    await tell(tmp_path / "j", countersigned=countersigned)
    verdict = check(bundle(tmp_path / "j"), KEYS)
    assert verdict.wrong == ""
    assert missing in verdict.not_shown


def test_without_keys_it_says_that_nobody_compared_them(whole: bytes) -> None:
    verdict = check(whole)
    assert "the keys are those given" not in verdict.shown
    assert any(
        line.startswith("whose keys these are") and OWN.public.hex() in line for line in verdict.not_shown
    )


def test_a_case_that_is_not_there_is_no_evidence(path: Path) -> None:
    with pytest.raises(NoSuchCase, match="kept are 1 to 48"):
        bundle(path, "C-9")


async def test_a_journal_that_was_altered_gives_no_evidence(tmp_path: Path) -> None:
    await tell(tmp_path / "j")
    async with opened(tmp_path / "j") as journal:
        forge = "UPDATE entry SET public = replace(public, '\"attempt\":1', '\"attempt\":2')"
        journal._executor.submit(journal._store._connection.execute, forge).result()
        with pytest.raises(EvidenceDoesNotHold, match="entry 25: not the one that was signed"):
            bundle(tmp_path / "j")


async def test_entries_that_went_are_asked_of_the_centre(tmp_path: Path) -> None:
    await tell(tmp_path / "j")
    with one_thread() as thread:
        journal = await Journal.open(tmp_path / "j", SetClock(), Random(1).randbytes, thread)
        anchored = await journal.anchor()
        await journal.acknowledge(anchored.seq)
        await journal.purge_rows(anchored.seq)
        await journal.close()
    with pytest.raises(NoSuchCase, match="ask the centre"):
        bundle(tmp_path / "j")


def test_the_page_of_this_version_stays_as_it_is() -> None:
    """A file of today must be checkable in years: another page needs another version, and keeps this one."""
    entry = {
        "cause": "applicant",
        "data": {"case": "C", "x": "y" * 60},
        "time": 0,
        "tq": "ntp",
        "type": "DoorOpened",
    }
    rows = ["0" * 64, {"public": json.dumps(entry), "personal": '{"name":"王"}', "salt": "00"}]
    keys = {"locker": "1" * 64, "centre": ""}
    evidence = {
        "before": {"seq": 6, "hash": ""},
        "rows": rows,
        "locker": "l",
        "case": "C",
        "epoch": "e",
        "keys": keys,
    }
    page = verify_evidence.page(json.dumps(evidence), "22")
    assert (
        hashlib.sha256(page.encode()).hexdigest()
        == "1a747cd40a12b96ab26881e9a2850f201457caed4127149a639335ef7dd39551"
    )


def test_a_hello_countersigns_as_an_acknowledgement_does_and_nothing_else_of_the_centre(whole: bytes) -> None:
    evidence = inside(whole)
    body = json.loads(bytes.fromhex(evidence["countersigned"])[verify_evidence.FRAME_HEAD :])
    for kind, wrong in (("hello", ""), ("dn_log", "what the centre signed is no acknowledgement")):
        frame = seal.frame(CENTRE, json.dumps({**body, "kind": kind}).encode())
        evidence["countersigned"] = frame.hex()
        assert check(resealed(evidence), KEYS).wrong == wrong


@pytest.mark.parametrize("place", ["key", "signature", "name", "brace", "hex"])
async def test_a_countersignature_that_its_card_has_spoilt_is_none_and_spoils_no_evidence(
    tmp_path: Path, place: str
) -> None:
    """One bit of the row that nothing else in the file vouches for."""
    await tell(tmp_path / "j")
    with closing(sqlite3.connect(tmp_path / "j")) as connection:
        (text,) = connection.execute("SELECT value FROM meta WHERE name = 'countersigned'").fetchone()
        frame = bytearray.fromhex(text)
        at = {"key": 3, "signature": 30, "name": frame.index(b"up_epoch") + 4, "brace": len(frame) - 1}
        frame[at.get(place, 0)] ^= 1
        spoilt = f"g{text[1:]}" if place == "hex" else frame.hex()
        connection.execute("UPDATE meta SET value = ? WHERE name = 'countersigned'", (spoilt,))
        connection.commit()
    verdict = check(bundle(tmp_path / "j"), KEYS)
    assert verdict.wrong == ""
    assert "no countersigned head covers any entry of the case" in verdict.not_shown


# --- what does not ---


def test_a_thousand_edited_bundles_are_all_refused(path: Path, whole: bytes) -> None:
    """The file as a stranger edits it; and the evidence as one edits it who holds the locker's own key and
    makes signature and page fit again: then chain and countersignature alone must find it."""
    other, chance = bundle(path, "C-2", personal=True), Random(2)
    edits, passed = Counter[str](), list[str]()
    while edits.total() < EDITS:
        for name, edited in edited_bundles(whole, other, chance):
            edits[name] += 1
            if not check(edited, KEYS).wrong:
                passed.append(name)
    print(dict(edits))
    assert passed == []
    assert min(edits.values()) >= 10
    assert len(edits) == len(FILE_EDITS) + len(INSIDE_EDITS) + len(STRANGERS_EDITS)


@pytest.mark.parametrize(("name", "value"), [("case", None), ("case", ""), ("v", True), ("epoch", ["x"])])
def test_evidence_of_nothing_is_none(whole: bytes, name: str, value: object) -> None:
    """Entries without a case are no entries of case null."""
    evidence = inside(whole)
    evidence[name] = value
    assert check(resealed(evidence), KEYS).wrong


def test_whoever_signs_it_all_anew_is_found_by_the_keys(whole: bytes) -> None:
    evidence = inside(whole)
    evidence["keys"] = {"locker": STRANGER.public.hex(), "centre": ""}
    evidence["countersigned"] = ""
    forged = resealed(evidence, STRANGER)
    assert check(forged).wrong == ""
    assert "another key of locker loc-1" in check(forged, KEYS).wrong


async def test_who_holds_the_lockers_key_cannot_rewrite_what_the_centre_countersigned(tmp_path: Path) -> None:
    await tell(tmp_path / "true")
    await tell(tmp_path / "rewritten", cases=("C-1", "C-3"))
    true, rewritten = (inside(bundle(tmp_path / name)) for name in ("true", "rewritten"))
    rewritten["countersigned"] = true["countersigned"]
    assert "not the one that the centre countersigned" in check(resealed(rewritten), KEYS).wrong


def test_whatever_it_is_the_answer_is_a_verdict() -> None:
    chance = Random(3)
    nested = b"[" * 100_000
    opens, begins, ends = (
        part.encode() for part in (verify_evidence.OPENS, verify_evidence.BEGINS, verify_evidence.ENDS)
    )
    junk = [
        b"",
        b"\xff",
        b"{}",
        b"null",
        b"[]",
        nested,
        b'{"v":1,"kind":"doclocker-evidence"}',
        chance.randbytes(99),
    ]
    for text in junk:
        for data in (text, opens + b"00" + begins + text + ends):
            assert check(data, KEYS).wrong


def test_a_signer_whose_keys_do_not_fit_gives_no_evidence(path: Path) -> None:
    liar = Signer("loc-1", STRANGER.public, OWN.sign, {})
    with pytest.raises(EvidenceDoesNotHold):
        bundle(path, signer=liar)
    with pytest.raises(EvidenceDoesNotHold):
        _sealed({**inside(bundle(path)), "locker": "loc-2"}, SIGNER)
