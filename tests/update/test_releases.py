"""What makes a file a release for this machine, and that nothing else does."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from systemd.updater import admit, manifest, releases, trusted
from systemd.updater.admit import Here
from systemd.updater.disk import RealDisk
from systemd.updater.envelope import judged, packed
from systemd.updater.errors import BadKeys, BadRelease, NoKeys, Unfit
from systemd.updater.keyring import Signer
from tests.update import made
from tests.update.street import OLD

OURS = made.signer()
GOOD = b"".join(packed(made.manifest(), made.FILES, OURS.sign))
HERE = Here("aarch64", "3.11", OLD, 1)


def refused(data: bytes, *keys: str) -> str:
    """Why; empty for a good one."""
    try:
        judged(BytesIO(data), keys or (OURS.public,))
    except BadRelease as error:
        return error.why
    return ""


def test_a_good_one_is_opened_and_says_what_was_put_in(tmp_path: Path) -> None:
    release = made.release(tmp_path)
    assert {file.name: content for file, content in release.contents()} == made.FILES
    assert release.name.startswith("1.1.0-")


def test_a_changed_byte_is_found_at_every_position() -> None:
    passed = [at for at in range(len(GOOD)) if not refused(changed(GOOD, at, GOOD[at] ^ (1 << at % 8)))]
    assert passed == []


def changed(data: bytes, at: int, to: int) -> bytes:
    return data[:at] + bytes([to]) + data[at + 1 :]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_other_bytes_pass(data: st.DataObject) -> None:
    """Cut, lengthened, mixed: whatever is not the file itself."""
    first = data.draw(st.integers(0, len(GOOD)))
    second = data.draw(st.integers(0, len(GOOD)))
    between = data.draw(st.binary(max_size=20))
    other = GOOD[:first] + between + GOOD[second:]
    if other != GOOD:
        assert refused(other)


def test_only_whom_this_machine_trusts() -> None:
    theirs = made.signer(2)
    by_them = b"".join(packed(made.manifest(), made.FILES, theirs.sign))
    assert refused(by_them) == "nobody whom this machine trusts has signed it"
    assert refused(by_them, OURS.public, theirs.public) == ""
    assert refused(GOOD, OURS.public, theirs.public) == ""
    as_ours = lambda said: OURS.sign(said)[:8] + theirs.sign(said)[8:]  # noqa: E731 -- one use
    assert refused(b"".join(packed(made.manifest(), made.FILES, as_ours))) == "its signature does not fit"


BAD_NAMES = (
    "../etc/passwd",
    "/etc/passwd",
    "a/../b",
    "a//b",
    "",
    ".",
    "a/.hidden",
    "a\\b",
    "a\n",
    "x" * 3 + "/",
)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_signed_file_does_not_leave_its_folder(name: str) -> None:
    file = replace(made.manifest().files[0], name=name)
    with pytest.raises(BadRelease):
        manifest.decoded(made.manifest(files=(file,)).encoded())


WRONG: dict[str, Any] = {
    "version": "1.1",
    "built_s": -1,
    "machine": "a b",
    "python": None,
    "journal_schema": True,
    "keys": ("zz",),
    "files": (),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_signed_manifest_must_still_be_sound(field: str) -> None:
    with pytest.raises(BadRelease):
        manifest.decoded(made.manifest(**{field: WRONG[field]}).encoded())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        made.manifest().encoded() + b" ",
        made.manifest().encoded().replace(b'"product":"doclocker"', b'"product":"other"'),
        made.manifest().encoded().replace(b'"format":1', b'"format":2'),
    ],
)
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(BadRelease):
        manifest.decoded(text)


def test_two_files_never_share_a_place() -> None:
    first = made.manifest().files[0]
    for other in (first.name, f"{first.name}/below"):
        with pytest.raises(BadRelease):
            manifest.decoded(made.manifest(files=(first, replace(first, name=other))).encoded())


def ruled(tmp_path: Path, here: Here = HERE, *, forced: bool = False, **facts: object) -> str:
    try:
        admit.admit(RealDisk(tmp_path), made.release(tmp_path, made.manifest(**facts)), here, forced=forced)  # type: ignore[arg-type]  # each of its kind
    except Unfit as error:
        return str(error)
    return ""


def test_only_for_machines_like_this(tmp_path: Path) -> None:
    assert ruled(tmp_path) == ""
    assert "it is for x86_64" in ruled(tmp_path, machine="x86_64", forced=True)
    assert "it is for Python 3.13" in ruled(tmp_path, python="3.13", forced=True)


def test_a_journal_of_a_newer_schema_is_refused_even_by_force(tmp_path: Path) -> None:
    ahead = replace(HERE, journal_schema=2)
    assert "knows up to 1" in ruled(tmp_path, ahead, forced=True)
    assert ruled(tmp_path, ahead, journal_schema=2) == ""


def test_an_older_one_only_by_force(tmp_path: Path) -> None:
    assert "--force" in ruled(tmp_path, version="0.9.9")
    assert ruled(tmp_path, version="0.9.9", forced=True) == ""
    assert ruled(tmp_path, version="1.0.0") == "", "a build of the same version, of which it is known when"
    facts = tmp_path / releases.folder("1.1.0-bbbbbbbbbbbb").lstrip("/") / releases.FACTS
    facts.parent.mkdir(parents=True)
    facts.write_bytes(made.manifest().encoded())
    running = replace(HERE, running="1.1.0-bbbbbbbbbbbb")
    assert "--force" in ruled(tmp_path, running, built_s=1_789_999_999)
    assert ruled(tmp_path, running, built_s=1_790_000_001) == ""
    assert "--force" in ruled(tmp_path, running, version="1.0.99")
    assert ruled(tmp_path, running, version="1.10.0") == "", "numbers, not texts"


def test_the_one_that_runs_is_not_installed_again(tmp_path: Path) -> None:
    release = made.release(tmp_path)
    with pytest.raises(Unfit, match="nothing to do"):
        admit.admit(RealDisk(tmp_path), release, replace(HERE, running=release.name), forced=True)


def test_at_most_two_keys_are_trusted(tmp_path: Path) -> None:
    disk, keys = RealDisk(tmp_path), [made.signer(n).public for n in (1, 2, 3)]
    with pytest.raises(NoKeys, match="systemd/update trust"):
        trusted.load(disk)
    trusted.keep(disk, keys[:2])
    assert trusted.load(disk) == tuple(keys[:2])
    trusted.keep(disk, [keys[0], keys[0]])
    assert trusted.load(disk) == (keys[0],)
    for bad in ([], keys, ["00"], ["zz" * 32]):
        with pytest.raises(BadKeys):
            trusted.keep(disk, bad)
    assert trusted.load(disk) == (keys[0],)
    for text in ("", "[]", '{"keys": 7}', json.dumps({"keys": keys})):
        (tmp_path / trusted.FILE.lstrip("/")).write_text(text)
        with pytest.raises(BadKeys):
            trusted.load(disk)


def test_another_kind_of_key_is_refused() -> None:
    with pytest.raises(BadKeys):
        Signer(b"-----BEGIN nothing")


def test_the_same_input_makes_the_same_bytes() -> None:
    assert b"".join(packed(made.manifest(), made.FILES, made.signer().sign)) == GOOD
