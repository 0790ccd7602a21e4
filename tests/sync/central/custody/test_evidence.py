"""Evidence of the hub's ledger: a file that `lockerctl evidence verify` checks, of a locker that is gone."""

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from locker.domain import events as ev
from locker.domain.ids import Epoch, LockerId, Seq
from locker.journal import verify_evidence
from locker.journal.reader import Reader
from locker.journal.rows import NOBODY
from sync import wire
from sync.central import ledger, lockers
from sync.central.access.actor import HUB, Role, person
from sync.central.custody import evidence
from sync.central.desk import Refusal, Refused
from sync.central.tables import LEDGER
from tests.locker.journal.told_case import LOCKER, OWN, bundle, inside, tell
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import name_of
from tests.sync.central.test_ledger import BIRTH, CABINET, STAY, VISIT

NOISE = ev.GuessesCounted("unknown_code", 1)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("told") / "journal.sqlite3"
    asyncio.run(tell(path))
    return path


def taken_in(parts: Parts, journal: Path) -> dict[str, Any]:
    """A real locker's journal as the hub has it; the keys that whoever checks is given."""
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, LOCKER, "north", OWN.public.hex()))
    reader = Reader(journal)
    entries = reader.entries(0, 1000, 1 << 20)
    epoch, (head, link) = reader.epoch(), reader.head()
    reader.close()
    batch = wire.UpBatch(
        locker=LOCKER,
        epoch=epoch,
        from_seq=1,
        to_seq=head,
        prev=wire.ZERO,
        entries=tuple(entry.public for entry in entries),
        personal=tuple(
            None
            if entry.personal_digest == NOBODY
            else wire.kept(entry.personal, entry.salt, entry.personal_digest)
            for entry in entries
        ),
        hash=link.hex(),
    )
    parts.store.write_now(lambda c: ledger.ingest(c, batch, parts.clock.now_ms, careful=True))
    return keys_of(parts)


def keys_of(parts: Parts) -> dict[str, Any]:
    known = parts.store.read_now(lambda c: dict(lockers.public_keys(c)))
    return {"lockers": known, "centre": [parts.desk.keys.sign.public.hex()]}


def exported(parts: Parts, case: str, actor: Any = HUB) -> list[evidence.Bundle]:
    return parts.store.read_now(lambda c: evidence.export(c, parts.desk, actor, case))


def test_it_shows_what_the_lockers_own_file_shows(parts: Parts, journal: Path) -> None:
    keys = taken_in(parts, journal)
    (made,) = exported(parts, "C-1")
    verdict = verify_evidence.check(made.page, keys)
    assert verdict.wrong == ""
    assert verdict.shown[:3] == (
        (
            "10 entries of case C-1, from 8 to 36, stand unaltered and in this order"
            " in the journal of locker loc-1"
        ),
        "the centre signs that these are all entries of the case that it kept up to entry 42",
        "the locker signed its journal up to entry 41 while it went on",
    )
    assert verdict.shown[-1] == "the keys are those given"
    assert [line.partition(" ")[0] for line in verdict.not_shown] == ["what"]
    theirs, ours = inside(bundle(journal)), inside(made.page)
    assert (ours["before"], ours["epoch"]) == (theirs["before"], theirs["epoch"])
    assert theirs["rows"][: len(ours["rows"])] == ours["rows"]
    assert "C-2" not in json.dumps([row for row in ours["rows"] if not isinstance(row, str)])


def test_an_edited_one_is_refused_and_so_is_one_of_another_centre(parts: Parts, journal: Path) -> None:
    keys = taken_in(parts, journal)
    (made,) = exported(parts, "C-1")
    for old, new in ((b"DoorForced", b"DoorOpened"), (b'"v":2', b'"v":1'), (b"applicant", b"applicanx")):
        assert old in made.page
        assert verify_evidence.check(made.page.replace(old, new), keys).wrong
    stranger = keys | {"centre": ["0" * 64]}
    assert "centre's key is none of those given" in verify_evidence.check(made.page, stranger).wrong


def test_what_was_changed_in_the_ledger_gives_no_evidence(parts: Parts, journal: Path) -> None:
    taken_in(parts, journal)
    own = LEDGER.c
    other = "f" * 64
    changed = LEDGER.update().where(own.locker == LOCKER, own.seq == 9).values(personal_digest=other)
    parts.store.write_now(lambda c: c.execute(changed))
    with pytest.raises(evidence.LedgerDoesNotHold):
        exported(parts, "C-1")


def test_without_a_signed_head_it_says_so(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT, NOISE, NOISE)
    parts.ingest()
    (made,) = exported(parts, "GS-1")
    verdict = verify_evidence.check(made.page, keys_of(parts))
    assert (verdict.wrong, len(inside(made.page)["rows"])) == ("", 7)
    assert "no signed head covers any entry of the case" in verdict.not_shown


def test_it_ends_where_the_locker_signed_and_nothing_lies_there_any_more(parts: Parts) -> None:
    locker = parts.locker
    locker.add(BIRTH, CABINET, *VISIT, ev.SubmissionTaken(STAY, "h-1", "sensed", "complete"))  # type: ignore[arg-type]  # as in JSON
    seq, link = Seq(locker.head), locker.hash_at(locker.head)
    signature = locker.key.sign(f"{locker.epoch}:{seq}:{link}".encode()).hex()
    locker.add(ev.HeadSigned(seq, link, locker.key.id.hex(), signature), *[NOISE] * 30)
    parts.ingest()
    (made,) = exported(parts, "GS-1")
    assert inside(made.page)["before"]["seq"] + len(inside(made.page)["rows"]) == seq + 1
    assert verify_evidence.check(made.page, keys_of(parts)).wrong == ""


def test_one_for_each_journal_that_has_something_of_it(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    name, _, page = evidence.as_file("GS-1", exported(parts, "GS-1"))
    file, keys = tmp_path / name, tmp_path / "keys.json"
    file.write_bytes(page)
    keys.write_text(json.dumps(keys_of(parts)))
    assert verify_evidence.main([str(file), "--keys", str(keys)]) == 0
    assert f"{file}: holds" in capsys.readouterr().out
    parts.locker.entries.clear()
    parts.locker.epoch = name_of("second")
    parts.locker.add(ev.EpochStarted(Epoch(parts.locker.epoch), LockerId("hall-1")), CABINET, *VISIT)
    parts.ingest()
    name, kind, data = evidence.as_file("GS-1", exported(parts, "GS-1"))
    assert (name, kind) == ("evidence-GS-1.zip", "application/zip")
    both = zipfile.ZipFile(io.BytesIO(data))
    assert both.namelist() == ["evidence-GS-1-hall-1-1.html", "evidence-GS-1-hall-1-2.html"]
    wrong = [verify_evidence.check(both.read(each), keys_of(parts)).wrong for each in both.namelist()]
    assert wrong == ["", ""]


def test_a_case_of_another_area_is_as_if_it_did_not_exist(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    with pytest.raises(Refused) as refused:
        exported(parts, "GS-1", person("far", [Role.CASE_OFFICER], ["south"]))
    assert refused.value.reason is Refusal.UNKNOWN_CASE
