"""Whatever is done to a journal, the verifier finds it, and names the first entry that is not what it was."""

import asyncio
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locker.journal import verify
from tests.locker.journal.histories import Life, live, opened, unsynced

ENTRIES = 2_000
COLUMNS = ("public", "personal", "salt", "personal_digest", "hash")
COMPUTED = ("type", "boot", "mono", "wall", "tq", "subject", "cause")


@dataclass
class Evidence:
    """A journal as it was, and a copy to tamper with."""

    kept: Path
    copy: Path
    last: int
    head: bytes

    @contextmanager
    def tampered(self) -> Iterator[sqlite3.Connection]:
        shutil.copyfile(self.kept, self.copy)
        connection = sqlite3.connect(self.copy)
        connection.execute("PRAGMA synchronous = OFF")
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def judged(self, *, held: bool = False) -> verify.Verdict:
        return verify.check(self.copy, (self.last, self.head) if held else None)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    folder = tmp_path_factory.mktemp("evidence")
    yield asyncio.run(made(folder / "kept.sqlite3", folder / "copy.sqlite3", ENTRIES))
    shutil.rmtree(folder)


async def made(path: Path, copy: Path, entries: int) -> Evidence:
    async with opened(path) as journal:
        unsynced(journal)
        await live(journal, Life(11), entries)
        evidence = Evidence(path, copy, journal.state.seq, journal.head)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")  # one file, to be copied as it stands
    for column in COMPUTED:  # SQLite would refuse to compute them of a text that is no longer JSON
        connection.execute(f"ALTER TABLE entry DROP COLUMN {column}")
    connection.close()
    return evidence


# --- what may be done to it: each says which entry is the first that is wrong ---


def flip(connection: sqlite3.Connection, at: int, column: str, bit: int) -> int:
    """One bit of one value; of the text where the row has no such value."""
    (value,) = connection.execute(f"SELECT {column} FROM entry WHERE seq = ?", (at,)).fetchone()  # noqa: S608
    if not value:
        return flip(connection, at, "public", bit)
    data = bytearray(value.encode() if isinstance(value, str) else value)
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    kind = "TEXT" if isinstance(value, str) else "BLOB"
    sql = f"UPDATE entry SET {column} = CAST(? AS {kind}) WHERE seq = ?"  # noqa: S608  # our own names
    connection.execute(sql, (bytes(data), at))
    return at


def remove(connection: sqlite3.Connection, at: int) -> int:
    connection.execute("DELETE FROM entry WHERE seq = ?", (at,))
    return at


def insert(connection: sqlite3.Connection, at: int) -> int:
    """Another entry, well formed and linked to the one before, and all later ones moved on by one."""
    connection.execute("UPDATE entry SET seq = -(seq + 1) WHERE seq >= ?", (at,))
    connection.execute("UPDATE entry SET seq = -seq WHERE seq < 0")
    before = connection.execute("SELECT hash FROM entry WHERE seq = ?", (at - 1,)).fetchone()
    write(connection, at, before[0] if before else bytes(32))
    return at + 1


def write(connection: sqlite3.Connection, at: int, before: bytes) -> bytes:
    public = json.dumps({"v": 1, "seq": at, "type": "Stopped", "data": {"reason": "forged"}})
    link = linked(before, public.encode(), b"")
    connection.execute("INSERT INTO entry (seq, public, hash) VALUES (?, ?, ?)", (at, public, link))
    return link


def linked(before: bytes, public: bytes, digest: bytes) -> bytes:
    digest = digest or hashlib.sha256(b"").digest()
    leaf = hashlib.sha256(b"\x00" + public + digest).digest()
    return hashlib.sha256(b"\x01" + before + leaf).digest()


def swap(connection: sqlite3.Connection, at: int, other: int) -> int:
    connection.execute("UPDATE entry SET seq = 0 WHERE seq = ?", (at,))
    connection.execute("UPDATE entry SET seq = ? WHERE seq = ?", (at, other))
    connection.execute("UPDATE entry SET seq = ? WHERE seq = 0", (other,))
    return min(at, other)


def cut(connection: sqlite3.Connection, at: int) -> int:
    connection.execute("DELETE FROM entry WHERE seq >= ?", (at,))
    return at


def rewrite(connection: sqlite3.Connection, at: int) -> int:
    """By somebody who knows the rules: one entry replaced, every later hash computed anew, the head noted."""
    rows = connection.execute(
        "SELECT seq, public, personal_digest FROM entry WHERE seq > ?", (at,)
    ).fetchall()
    before = connection.execute("SELECT hash FROM entry WHERE seq = ?", (at - 1,)).fetchone()
    connection.execute("DELETE FROM entry WHERE seq = ?", (at,))
    link = write(connection, at, before[0] if before else bytes(32))
    for seq, public, digest in rows:
        link = linked(link, public.encode(), digest or b"")
        connection.execute("UPDATE entry SET hash = ? WHERE seq = ?", (link, seq))
    connection.execute("UPDATE meta SET value = ? WHERE name = 'head'", (json.dumps(link.hex()),))
    return at


def note_shorter(connection: sqlite3.Connection, at: int) -> int:
    """The end cut off, and what the daemon noted of it put right."""
    cut(connection, at)
    before = connection.execute("SELECT hash FROM entry WHERE seq = ?", (at - 1,)).fetchone()
    connection.execute("UPDATE meta SET value = ? WHERE name = 'seq'", (str(at - 1),))
    head = json.dumps(before[0].hex() if before else "")
    connection.execute("UPDATE meta SET value = ? WHERE name = 'head'", (head,))
    return at


# --- and is found ---

places = st.integers(1, ENTRIES)
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_an_honest_journal_holds(evidence: Evidence) -> None:
    with evidence.tampered():
        pass
    verdict = evidence.judged(held=True)
    assert (verdict.wrong, verdict.first, verdict.last, verdict.head) == ("", 1, evidence.last, evidence.head)


@given(at=places, column=st.sampled_from(COLUMNS), bit=st.integers(0, 4096))
@many
def test_a_flipped_bit(evidence: Evidence, at: int, column: str, bit: int) -> None:
    with evidence.tampered() as connection:
        expected = flip(connection, at, column, bit)
    verdict = evidence.judged()
    assert (verdict.seq, bool(verdict.wrong)) == (expected, True)


@given(at=places)
@many
def test_a_deleted_row(evidence: Evidence, at: int) -> None:
    with evidence.tampered() as connection:
        expected = remove(connection, at)
    assert evidence.judged().seq == expected


@given(at=st.integers(2, ENTRIES))
@many
def test_an_inserted_row(evidence: Evidence, at: int) -> None:
    with evidence.tampered() as connection:
        expected = insert(connection, at)
    assert evidence.judged().seq == expected


@given(at=places, other=places)
@many
def test_two_rows_in_each_others_place(evidence: Evidence, at: int, other: int) -> None:
    if at != other:
        with evidence.tampered() as connection:
            expected = swap(connection, at, other)
        assert evidence.judged().seq == expected


@given(at=places)
@many
def test_an_end_that_was_cut_off(evidence: Evidence, at: int) -> None:
    with evidence.tampered() as connection:
        expected = cut(connection, at)
    assert evidence.judged().seq == expected


@given(at=places)
@many
def test_what_the_file_alone_cannot_tell_a_held_head_does(evidence: Evidence, at: int) -> None:
    with evidence.tampered() as connection:
        rewrite(connection, at)
    assert evidence.judged(held=True).seq == evidence.last
    with evidence.tampered() as connection:
        expected = note_shorter(connection, at)
    assert evidence.judged(held=True).seq == expected


def test_a_row_at_the_end(evidence: Evidence) -> None:
    with evidence.tampered() as connection:
        write(connection, evidence.last + 1, evidence.head)
    assert evidence.judged().seq == evidence.last + 1


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE entry SET salt = NULL WHERE seq = {named}", "personal part is not what was hashed"),
        ("UPDATE entry SET personal = NULL WHERE seq = {named}", "personal part is not what was hashed"),
        ("UPDATE entry SET personal_digest = NULL WHERE seq = {named}", "without a digest"),
        ("UPDATE entry SET personal = 'x' WHERE seq = 1", "without a digest"),
        ("UPDATE entry SET public = 7 WHERE seq = 5", "does not follow from its text"),
        ("DELETE FROM entry WHERE seq < 10", "follows no anchor"),
        ("UPDATE meta SET value = '\"00\"' WHERE name = 'head'", "not the one that the daemon noted"),
        ("DELETE FROM entry", "missing; the daemon wrote"),
    ],
)
def test_other_findings(evidence: Evidence, statement: str, finding: str) -> None:
    with evidence.tampered() as connection:
        (named,) = connection.execute("SELECT min(seq) FROM entry WHERE personal IS NOT NULL").fetchone()
        connection.execute(statement.format(named=named))
    assert finding in evidence.judged().wrong


@pytest.mark.parametrize(
    ("public", "finding"),
    [(7, "has no text"), (b"7", "not an entry"), (b"\xff", "not an entry"), (b'{"seq": 1}', "not an entry")],
)
def test_a_text_that_is_no_entry(public: object, finding: str) -> None:
    """Well hashed all the same."""
    link = linked(bytes(32), public if isinstance(public, bytes) else b"", b"")
    rows = iter([verify.Row(1, public, None, None, None, link)])
    verdict = verify.judged(rows, {}, verify.Walk({}, None))
    assert (verdict.seq, finding in verdict.wrong) == (1, True)


def test_an_anchor_that_no_entry_confirms(evidence: Evidence) -> None:
    with evidence.tampered() as connection:
        connection.execute("INSERT INTO anchor SELECT seq, hash, '{}' FROM entry WHERE seq = 100")
        connection.execute("DELETE FROM entry WHERE seq <= 100")
    verdict = evidence.judged()
    assert (verdict.seq, verdict.wrong) == (
        101,
        "what went before was purged, and no entry confirms its anchor",
    )


# --- as the command that it is ---


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """As a single file, without the project: -I keeps the working directory and the environment out."""
    return subprocess.run(
        [sys.executable, "-I", verify.__file__, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_command_says_that_all_holds(evidence: Evidence) -> None:
    done = run(evidence.kept, "--head", f"{evidence.last}:{evidence.head.hex()}")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"entries 1 to {evidence.last} hold" in done.stdout
    assert f"head {evidence.last}:{evidence.head.hex()}" in done.stdout


def test_the_command_names_the_first_bad_entry(evidence: Evidence) -> None:
    with evidence.tampered() as connection:
        remove(connection, 1234)
    done = run(evidence.copy)
    assert (done.returncode, done.stderr) == (1, "")
    assert "entry 1234: missing" in done.stdout


@pytest.mark.parametrize("content", [None, b"", b"paper"])
def test_the_command_and_a_file_that_is_no_journal(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.sqlite3"
    if content is not None:
        path.write_bytes(content)
    done = run(path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "not readable as a journal" in done.stdout


def test_the_command_refuses_a_head_that_is_none(evidence: Evidence) -> None:
    assert run(evidence.kept, "--head", "5:beef").returncode == 2
