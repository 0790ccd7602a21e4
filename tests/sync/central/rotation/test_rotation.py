"""From one signing key of the centre to the next: told, counted, switched, retired; cut at each step."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from locker.domain import events as ev
from sync import seal, wire
from sync.central import commands, directives, lockers
from sync.central import tables as t
from sync.central.__main__ import main
from sync.central.access import audit
from sync.central.alone import alone
from sync.central.config import load, load_keys
from sync.central.desk import Desk, Keys
from sync.central.platform import Chance, SystemClock
from sync.central.rotation import keyfile, telling
from sync.central.rotation.keyfile import CannotRotate
from sync.central.rotation.said import text_of
from sync.central.rotation.tables import CENTRE_KEYS
from sync.central.store import Store, insert, put
from sync.central.switchboard import Switchboard
from tests.sync.central.conftest import Parts
from tests.sync.central.doors.told import Told
from tests.sync.central.test_hello import meet
from tests.sync.edges import FakeLink, settle

NEXT = seal.SigningKey.from_seed(b"n" * 32)


def rotating(desk: Desk) -> Desk:
    return replace(desk, keys=keyfile.announced(desk.keys, NEXT))


def holding(parts: Parts, key: seal.SigningKey = NEXT) -> telling.Holding:
    return parts.store.read_now(lambda c: telling.holding(c, key.public))


@pytest.mark.rule("CEN-60")
async def test_every_locker_is_told_once_and_has_it_when_its_journal_says_so(parts: Parts) -> None:
    locker, woken = Told(parts), list[str]()
    assert await telling.tell_all(parts.store, parts.desk, woken.extend) == 0  # one key: nothing to say
    desk = rotating(parts.desk)
    assert await telling.tell_all(parts.store, desk, woken.extend) == 1
    assert await telling.tell_all(parts.store, desk, woken.extend) == 0
    assert woken == ["hall-1"]
    assert holding(parts) == telling.Holding((), ("hall-1",))
    # An old software acknowledges what it cannot read: that is not having it.
    assert locker.hears(refused="unknown type 'CentreKeysTold'")
    assert holding(parts).have == ()
    locker.numbered_anew()
    parts.store.write_now(lambda c: directives.snapshot(c, "hall-1", Chance(), parts.clock.now_ms))
    told = [each for each in locker.hears() if isinstance(each, ev.CentreKeysTold)]
    both = (desk.keys.sign.public.hex(), NEXT.public.hex())
    assert told == [ev.CentreKeysTold(both, ())]
    assert holding(parts) == telling.Holding(("hall-1",), ())


@pytest.mark.rule("CEN-60")
def test_who_is_enrolled_meanwhile_gets_both_and_is_counted(parts: Parts) -> None:
    desk = rotating(parts.desk)
    known = parts.store.write_now(lambda c: lockers.enrol(c, desk, "hall-2", "north", "22" * 32))
    assert [each["public"] for each in known["centre_sign"]] == [
        desk.keys.sign.public.hex(),
        NEXT.public.hex(),
    ]
    said = [row for row in parts.rows(t.DIRECTIVE) if row.locker == "hall-2"]
    assert '"CentreKeysTold"' in said[0].text
    assert holding(parts).lack == ("hall-1", "hall-2")


@pytest.mark.rule("CEN-61")
async def test_each_hello_comes_behind_the_introductions(parts: Parts) -> None:
    keys = keyfile.switched(rotating(parts.desk).keys, parts.clock.now_ms)
    third = seal.SigningKey.from_seed(b"3" * 32)
    keys = keyfile.switched(keyfile.announced(keyfile.retired(keys), third), parts.clock.now_ms)
    link = FakeLink()
    link.connected = True
    board = Switchboard(link, replace(parts.desk, keys=keys))
    hello = meet(parts, parts.locker.link())
    assert hello is not None
    board.say("hall-1", hello)
    await settle()
    assert [said.topic.rpartition("/")[2] for said in link.said] == ["keys", "keys", "hello"]
    # A locker that knows the first key alone comes to believe the hello.
    known = dict(seal.keyring(parts.desk.keys.sign.public))
    for said in link.said[:-1]:
        body = wire.decode(wire.CentreKey, seal.open_frame(said.payload, known))
        known |= seal.keyring(bytes.fromhex(body.public))
    assert wire.decode(wire.Hello, seal.open_frame(link.said[-1].payload, known)) == hello


class Place:
    """A hub's folder, stopped, with one locker."""

    def __init__(self, folder: Path, empty: Path) -> None:
        shutil.copyfile(empty, folder / "central.sqlite")
        commands.init(folder, [f"hub.database={folder / 'central.sqlite'}"])
        self.config = folder / "central.toml"
        self.file = folder / "keys.json"
        own = seal.SigningKey.from_seed(b"2" * 32).public.hex()
        commands.enrol(self.config, "hall-1", "park", own, folder / "hall-1.json")

    @property
    def keys(self) -> Keys:
        return load_keys(self.file)

    def does(self, *words: str) -> int:
        return main(["keys", *words, "--config", str(self.config)])

    def with_store(self, work: Callable[[Store, Desk], object]) -> None:
        store = Store.open(load(self.config).database)
        try:
            work(store, Desk(self.keys, SystemClock()))
        finally:
            store.close()

    def locker_holds(self) -> None:
        """As its report would have it."""

        def work(store: Store, desk: Desk) -> None:
            text = text_of(telling.entry(desk.keys))
            values = {"said": text, "held": text}
            store.write_now(lambda c: put(c, CENTRE_KEYS, {"locker": "hall-1"}, values))

        self.with_store(work)


@pytest.fixture
def place(tmp_path: Path, new_hub: Path) -> Place:
    return Place(tmp_path, new_hub)


def test_from_one_key_to_the_next(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    first = place.keys.sign
    place.with_store(lambda store, desk: store.write_now(lambda c: audit.sign(c, desk.keys.sign, 1)))
    assert [place.does("switch"), place.does("retire"), place.does("next")] == [1, 1, 0]
    assert "no key is announced" in capsys.readouterr().err
    coming = place.keys.coming
    assert coming is not None
    assert place.keys.sign == first
    assert [place.does("next"), place.does("switch"), place.does("switch", "--without", "hall-9")] == [1] * 3
    told = capsys.readouterr().err
    assert "1 lockers lack" in told
    assert "no locker hall-9" in told
    assert place.does("status") == 0
    assert "hall-1 lacks it" in capsys.readouterr().out
    place.locker_holds()
    assert place.does("switch") == 0
    assert place.keys.sign == coming
    assert first.seed.hex() not in place.file.read_text()
    assert [each.hex() for each in place.keys.believed] == [coming.public.hex(), first.public.hex()]
    # The next one begins when this one is over.
    assert [place.does("next"), place.does("retire"), place.does("next")] == [1, 0, 0]
    assert place.keys.retired == (first.public,)
    capsys.readouterr()
    assert main(["keys", "--config", str(place.config)]) == 0
    assert json.loads(capsys.readouterr().out)["centre"] == [coming.public.hex(), first.public.hex()]
    # What the first key signed of the journal of acts still holds.
    assert main(["audit", "verify", "--config", str(place.config)]) == 0
    acts = [row.action for row in _acts(place)]
    assert acts == ["centre_key_made", "centre_key_switched", "centre_key_retired", "centre_key_made"]


def _acts(place: Place) -> list[Any]:
    found: list[Any] = []
    place.with_store(lambda store, _: found.extend(store.read_now(lambda c: list(audit.rows(c)))))
    return found


def test_what_it_signed_is_waited_for(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.does("next")
    right = {
        "authorisation": "a-1",
        "locker": "hall-1",
        "case_number": "GS-1",
        "service_item": "x",
        "size": "S",
        "made_ms": 1,
        "valid_until_ms": SystemClock().wall_ms() + 86_400_000,
    }
    place.with_store(lambda store, _: store.write_now(lambda c: insert(c, t.AUTHORISATION, [right])))
    assert place.does("switch", "--without", "hall-1") == 0
    assert place.does("retire", "--without", "hall-1") == 1
    assert "labels that it signed are good until" in capsys.readouterr().err
    assert place.does("retire", "--without", "hall-1", "--now") == 0


def test_a_hub_that_runs_signs_by_one_key(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with alone(load(place.config)):
        assert place.does("next") == 1
        assert place.does("status") == 0
    assert "served by another hub" in capsys.readouterr().err
    assert place.keys.coming is None


@pytest.mark.parametrize("at", ["write", "rename"])
def test_a_cut_leaves_the_step_done_or_to_do(place: Place, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    place.does("next")
    place.locker_holds()
    before = place.file.read_bytes()

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if at == "write":
            patch.setattr(keyfile, "put", cut)
        else:
            patch.setattr(os, "fsync", cut)
        with pytest.raises(KeyboardInterrupt):
            place.does("switch")
    assert place.file.read_bytes() == before
    assert place.does("switch") == 0
    assert place.does("switch") == 1
    assert not list(place.file.parent.glob("keys.json.new"))
    assert place.file.stat().st_mode & 0o777 == 0o600


def test_no_step_is_skipped() -> None:
    keys = keyfile.read(json.dumps({"sign_seed": "01" * 32, "seal_private": "02" * 32}))
    with pytest.raises(CannotRotate):
        keyfile.switched(keys, 1)
    with pytest.raises(CannotRotate):
        keyfile.retired(keys)
    switched = keyfile.switched(keyfile.announced(keys, NEXT), 7)
    with pytest.raises(CannotRotate):
        keyfile.announced(switched, NEXT)
    assert keyfile.read(keyfile.written(switched)) == switched
    assert keyfile.read(keyfile.written(keyfile.announced(keys, NEXT))).coming == NEXT
