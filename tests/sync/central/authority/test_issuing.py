"""The profile of what the authority signs, judged by OpenSSL; and who may open its key."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from sync import certificates
from sync.central.authority import root as roots
from sync.central.authority.issuing import Authority, Purpose, new_authority
from sync.central.authority.root import CannotSign, Place
from sync.certificates import BadCertificate
from tests.sync.central.authority import made

CLIENTS = (Purpose.LOCKER, Purpose.HUB)


def judged(folder: Path, name: str, usage: str) -> str:
    words = ["openssl", "verify", "-x509_strict", "-purpose", usage, "-CAfile", "root.pem", f"{name}.pem"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_openssl_takes_each_for_its_purpose_and_for_no_other(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(made.authority().pem)
    for purpose in Purpose:
        made.pair(tmp_path, purpose, purpose)
        uses = ("sslclient", "sslserver") if purpose in CLIENTS else ("sslserver", "sslclient")
        assert judged(tmp_path, purpose, uses[0]) == f"{purpose}.pem: OK"
        assert "unsuitable certificate purpose" in judged(tmp_path, purpose, uses[1])
        assert "invalid" in judged(tmp_path, purpose, "crlsign") or "unsuitable" in judged(
            tmp_path, purpose, "crlsign"
        )


def test_the_profile_is_narrow() -> None:
    root = made.authority().root
    basic = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)


def test_a_leaf_signs_nobody_and_its_serial_is_random(tmp_path: Path) -> None:
    leaves = [
        x509.load_pem_x509_certificate(made.pair(tmp_path, "loc-1", Purpose.LOCKER).encode()) for _ in "ab"
    ]
    for leaf in leaves:
        assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
        assert (usage.critical, usage.value.digital_signature, usage.value.key_cert_sign) == (
            True,
            True,
            False,
        )
        assert len(list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)) == 1
        assert leaf.serial_number.bit_length() > 128
    assert leaves[0].serial_number != leaves[1].serial_number


def test_a_server_s_certificate_is_good_for_a_clock_that_stood_still(tmp_path: Path) -> None:
    """But not before the root is."""
    later_ms = made.NOW_MS + 300 * 86_400_000
    server = certificates.read(made.pair(tmp_path, "broker", Purpose.SERVER, now_ms=later_ms))
    locker = certificates.read(made.pair(tmp_path, "loc-1", Purpose.LOCKER, now_ms=later_ms))
    root = certificates.read(made.authority().pem)
    assert server.not_before_ms == root.not_before_ms < made.NOW_MS
    assert locker.not_before_ms == (later_ms - 86_400_000) // 1000 * 1000
    assert certificates.is_issued_by(made.pair(tmp_path, "x", Purpose.SERVER), made.authority().pem)


def test_requests_that_are_none_are_told() -> None:
    key = certificates.new_key()
    good = certificates.request_for(key, "loc-1")
    broken = good.replace(good.splitlines()[2][:8], "AAAAAAAA")
    for wrong in ("", "x", key, broken, good * 200):
        with pytest.raises(BadCertificate):
            certificates.read_request(wrong)
    with pytest.raises(BadCertificate):
        certificates.read(good)
    with pytest.raises(BadCertificate):
        certificates.digest_of(good)


# --- the key of the root ---------------------------------------------------------------------------------


@pytest.fixture
def authority() -> Authority:
    return made.authority()


def test_a_key_that_others_can_read_is_not_used(authority: Authority, tmp_path: Path) -> None:
    place = Place(tmp_path / "authority")
    place.make(authority, "")
    assert place.open().pem == authority.pem
    key = place.folder / roots.KEY
    assert (key.stat().st_mode & 0o777, place.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    for mode in (0o640, 0o604):
        key.chmod(mode)
        with pytest.raises(CannotSign, match="others may read it"):
            place.open()
    with pytest.raises(FileExistsError):
        place.make(authority, "")


def test_a_passphrase_locks_it(authority: Authority, tmp_path: Path) -> None:
    word = tmp_path / "word"
    place = Place(tmp_path / "authority", word)
    with pytest.raises(CannotSign, match="12 characters"):
        place.make(authority, "short")
    place.make(authority, "correct horse battery")
    assert "ENCRYPTED" in (place.folder / roots.KEY).read_text()
    with pytest.raises(CannotSign, match="passphrase_file"):
        place.open()
    word.write_text("another horse battery\n")
    with pytest.raises(CannotSign, match="locked"):
        place.open()
    word.write_text("correct horse battery\n")
    assert place.open().pem == Place(place.folder).open("correct horse battery").pem == authority.pem
    with pytest.raises(CannotSign, match="locked"):
        Place(place.folder).open()


def test_the_key_of_another_root_is_told(authority: Authority, tmp_path: Path) -> None:
    place = Place(tmp_path / "authority")
    place.make(authority, "")
    (place.folder / roots.ROOT).write_text(new_authority("Other", made.NOW_MS).pem)
    with pytest.raises(CannotSign, match="not the key of"):
        place.open()
    (place.folder / roots.ROOT).unlink()
    with pytest.raises(CannotSign, match="authority init"):
        place.open()
