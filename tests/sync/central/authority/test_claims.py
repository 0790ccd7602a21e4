"""A claim becomes a locker's identity: once, for the right one, whatever is interrupted."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from locker.config import load
from locker.ctl import provision_files
from locker.ctl import provision_steps as steps
from locker.ctl.provision_hub import CannotProvision, Waiting
from locker.ctl.provision_steps import Pending
from locker.platform import Keys
from sync import certificates, seal
from sync.central.access.commands import MACHINE
from sync.central.access.tables import AUDIT
from sync.central.authority import api as authority_api
from sync.central.authority import register
from sync.central.authority.tables import CLAIM
from sync.central.tables import LOCKER
from sync.wire import provision
from tests.sync.central.authority.offices import Centre, Machine
from tests.sync.central.conftest import Parts


def events(parts: Parts) -> list[tuple[str, str]]:
    return [(row.actor, row.action) for row in parts.rows(AUDIT)]


def test_a_claim_makes_a_locker_that_its_daemon_would_start(
    parts: Parts, centre: Centre, machine: Machine
) -> None:
    claim = centre.claim()
    machine.ask(centre, claim)
    config = load(machine.place.config)
    keys = Keys.load(config.keys_dir, config.locker_id, config.area)
    (row,) = [row for row in parts.rows(LOCKER) if row.locker == "loc-1"]
    assert row.public == keys.own.public.hex()
    assert keys.code_key == parts.desk.code_key(row)
    assert (config.mqtt.host, config.mqtt.port) == ("broker.example", 8883)
    assert (len(config.cabinet), config.area) == (1, "park")
    assert machine.worn.name == "loc-1"
    assert certificates.is_for(*[(config.keys_dir / "link.pem").read_text()] * 2)
    modes = {path.name: path.stat().st_mode & 0o777 for path in config.keys_dir.iterdir()}
    assert modes == dict.fromkeys(("own.json", "centre.json", "root.pem", "link.pem", "hub.json"), 0o600)
    assert config.keys_dir.stat().st_mode & 0o777 == 0o700
    assert steps.is_done(machine.place, claim)
    assert events(parts) == [("machine", "claim_made"), ("locker:loc-1", "claim_taken")]


def test_its_daemon_can_read_the_configuration_whoever_typed(centre: Centre, machine: Machine) -> None:
    before = os.umask(0o077)
    try:
        machine.ask(centre, centre.claim())
    finally:
        os.umask(before)
    assert machine.place.config.stat().st_mode & 0o777 == 0o640


def test_what_the_hub_keeps_and_what_is_on_its_way_opens_nothing(
    parts: Parts, centre: Centre, machine: Machine
) -> None:
    claim = centre.claim()
    pending = machine.ask(centre, claim)
    kept = repr(parts.rows(CLAIM)) + repr(parts.rows(AUDIT)) + repr(centre.posted)
    for secret in (claim.secret, claim.seed.hex(), pending.own_seed, pending.seal_private, pending.link_key):
        assert secret not in kept
    assert b"code_key" not in centre.post(provision.CLAIM_PATH, centre.posted[0])


def test_a_claim_is_good_once_and_for_its_own_locker(centre: Centre, tmp_path: Path) -> None:
    claim, foreign = centre.claim(), centre.claim("loc-2")
    thief, owner = Machine(tmp_path / "thief"), Machine(tmp_path / "owner")
    other = provision.Claim("loc-1", claim.hub, foreign.secret, claim.trust)
    guess = provision.Claim("loc-1", claim.hub, provision.secret_from(os.urandom(13)), claim.trust)
    for wrong in (other, guess):
        with pytest.raises(CannotProvision, match="unknown_claim"):
            Machine(tmp_path / wrong.secret).ask(centre, wrong)
    owner.ask(centre, claim)
    with pytest.raises(CannotProvision, match="claim_used"):
        thief.ask(centre, claim)
    assert not (tmp_path / "thief" / "keys" / "link.pem").exists()
    assert len(centre.certificates()) == 1


def test_a_claim_ends_by_time_and_by_the_next_one(parts: Parts, centre: Centre, machine: Machine) -> None:
    first, second = centre.claim(), centre.claim(hours=2)
    with pytest.raises(CannotProvision, match="claim_expired"):
        machine.ask(centre, first)
    parts.clock.now_ms += 2 * 3_600_000
    with pytest.raises(CannotProvision, match="claim_expired"):
        machine.ask(centre, second)
    machine.ask(centre, centre.claim())


def test_a_lost_answer_is_asked_for_again_by_the_same_key(
    parts: Parts, centre: Centre, machine: Machine
) -> None:
    claim = centre.claim()
    centre.lost = 2
    for _ in range(2):
        with pytest.raises(CannotProvision, match="lost"):
            machine.ask(centre, claim)
    machine.ask(centre, claim)
    assert centre.certificates() == [machine.worn.serial]
    assert [event for _, event in events(parts)] == ["claim_made", "claim_taken"]


def test_while_the_root_is_locked_a_request_waits_for_the_operator(
    parts: Parts, centre: Centre, machine: Machine
) -> None:
    claim = centre.claim()
    centre.locked = True
    for _ in range(2):
        with pytest.raises(Waiting):
            machine.ask(centre, claim)
    signed = parts.store.write_now(
        lambda c: register.sign_waiting(c, centre.bureau.place.open(), MACHINE, parts.clock.wall_ms())
    )
    assert signed == ["loc-1"]
    machine.ask(centre, claim)
    assert centre.certificates() == [machine.worn.serial]


def test_who_was_interrupted_does_the_same_again(
    lone: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power goes before each of the eight files in turn."""
    real, left = provision_files.put, [0]

    def put(path: Path, *more: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise CannotProvision("the power went")
        real(path, *more)

    monkeypatch.setattr(provision_files, "put", put)
    for cut in range(1, 9):
        locker, left[0] = f"loc-{cut}", cut
        machine, claim = Machine(tmp_path / locker), lone.claim(locker)
        with pytest.raises(CannotProvision, match="the power went"):
            machine.ask(lone, claim)
        assert not steps.is_done(machine.place, claim)
        pending = machine.ask(lone, claim)
        assert steps.is_done(machine.place, claim)
        assert "keys/pending.json" not in machine.files()
        assert pending.own_seed in machine.files()["keys/own.json"]
        assert lone.certificates(locker) == [machine.worn.serial]
    assert left[0] < 0


def test_an_answer_that_is_not_quite_the_centre_s_changes_nothing(
    lone: Centre, machine: Machine, tmp_path: Path
) -> None:
    claim = lone.claim()
    pending = steps.prepare(machine.place, claim, os.urandom)
    before = machine.files()
    frame = lone.post(provision.CLAIM_PATH, steps.request(pending, claim))
    stranger = seal.frame(seal.SigningKey.from_seed(b"x" * 32), frame[seal.HEAD_BYTES :])
    for wrong in (frame[:-1], frame[:-1] + bytes([frame[-1] ^ 1]), stranger, b""):
        with pytest.raises(CannotProvision, match="damaged"):
            steps.take(machine.place, pending, wrong)
    other = steps.prepare(Machine(tmp_path / "b").place, lone.claim("loc-3"), os.urandom)
    with pytest.raises(CannotProvision, match="damaged"):
        steps.opened(other, frame)
    assert machine.files() == before


def test_a_plan_that_does_not_fit_is_refused_before_anything_is_in_place(
    lone: Centre, machine: Machine
) -> None:
    with pytest.raises(CannotProvision, match="the plan does not fit"):
        machine.ask(lone, lone.claim(plan='[boards]\n"A/1" = "none"\n'))
    assert list(machine.files()) == ["keys/pending.json"]


def test_a_configuration_that_is_there_stays(lone: Centre, machine: Machine) -> None:
    machine.place.config.write_text("# by hand\n")
    machine.ask(lone, lone.claim())
    assert machine.files()["locker.toml"] == "# by hand\n"
    assert "[[compartments]]" in machine.files()["locker.toml.planned"]


def test_a_machine_that_is_one_locker_does_not_become_another(lone: Centre, machine: Machine) -> None:
    machine.ask(lone, lone.claim())
    own = machine.files()["keys/own.json"]
    with pytest.raises(CannotProvision, match="this machine is locker 'loc-1'"):
        steps.prepare(machine.place, lone.claim("loc-2"), os.urandom)
    again = lone.claim()
    assert not steps.is_done(machine.place, again)
    machine.ask(lone, again)
    assert machine.files()["keys/own.json"] == own
    stranger = Machine(machine.folder.parent / "stranger")
    with pytest.raises(CannotProvision, match="locker_otherwise"):
        stranger.ask(lone, lone.claim())


# --- as it is asked over the network ---------------------------------------------------------------------


async def test_refusals_tell_a_technician_and_guesses_wait(lone: Centre, tmp_path: Path) -> None:
    app = httpx.ASGITransport(_app(lone.parts, lone))
    claim = lone.claim()
    async with httpx.AsyncClient(transport=app, base_url="https://hub") as client:
        trust = (await client.get(provision.TRUST_PATH)).json()
        assert trust == {
            "root": claim.trust.root,
            "centre": claim.trust.centre,
            "introductions": [],
            "now_ms": lone.parts.clock.now_ms,
        }
        asked = steps.request(_pending(tmp_path / "a", claim), claim)
        answer = await client.post(provision.CLAIM_PATH, content=asked)
        assert answer.status_code == 200
        other = await client.post(
            provision.CLAIM_PATH, content=steps.request(_pending(tmp_path / "b", claim), claim)
        )
        assert (other.status_code, other.json()["reason"]) == (409, "claim_used")
        assert events(lone.parts)[-1] == ("locker:loc-1", "claim_refused")
        told = len(events(lone.parts))
        statuses = [
            (await client.post(provision.CLAIM_PATH, content=b"x" * n)).status_code for n in range(60, 86)
        ]
        assert statuses[0] == 404
        assert statuses[-1] == 429
        assert len(events(lone.parts)) == told


async def test_without_an_authority_there_is_nothing_to_ask(lone: Centre) -> None:
    app = httpx.ASGITransport(_app(lone.parts, None))
    async with httpx.AsyncClient(transport=app, base_url="https://hub") as client:
        for method, path in (("GET", provision.TRUST_PATH), ("POST", provision.CLAIM_PATH)):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.json()["reason"]) == (404, "no_authority")


def _app(parts: Parts, centre: Centre | None) -> Starlette:
    app = Starlette()
    authority_api.add(app, parts.store, parts.desk, centre.bureau if centre else None)
    return app


def _pending(folder: Path, claim: provision.Claim) -> Pending:
    return steps.prepare(Machine(folder).place, claim, os.urandom)


# --- codes -----------------------------------------------------------------------------------------------


def test_a_code_tells_slips_of_the_finger_and_carries_secret_and_pin() -> None:
    secret = provision.secret_from(b"a secret of some bytes")
    pin = provision.Trust("root", "centre").pin(b"f" * 32)
    code = provision.code(secret, pin)
    assert (len(code.split("-")), {len(group) for group in code.split("-")}) == (10, {4})
    assert provision.read_code(code) == provision.read_code(code.lower().replace("0", "o")) == (secret, pin)
    for n in (0, 22, 45, 48):
        if code[n] != "-":
            slip = code[:n] + ("2" if code[n] != "2" else "3") + code[n + 1 :]
            with pytest.raises(provision.BadProvision, match="slip"):
                provision.read_code(slip)
    with pytest.raises(provision.BadProvision, match="40 signs"):
        provision.read_code(code[:-1])
