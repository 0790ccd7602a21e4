"""The hub's own certificates and its servers': made anew in time, worn without an end of what stands."""

import shutil
import ssl
from pathlib import Path

import pytest
import uvicorn

from sync import certificates
from sync.central import commands, hub
from sync.central import tables as t
from sync.central.__main__ import main
from sync.central.authority import commands as authority
from sync.central.authority.issuing import DAY_MS, Purpose, new_authority
from sync.central.authority.keep import LEFT_MS, OWN_KIND, look
from sync.central.authority.renewing import LEFT_MS as RENEWED_MS
from sync.central.authority.renewing import worn
from sync.central.authority.tables import CERTIFICATE
from sync.central.config import load
from sync.central.store import Store, insert
from tests.sync.central.authority import made
from tests.sync.central.conftest import HandClock, Parts

HOSTS = ("hub.example", "localhost", "127.0.0.1")


class Place:
    """A hub's folder with its authority, under a clock that the test moves."""

    def __init__(self, folder: Path, empty: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.clock = folder, HandClock()
        self.tls, self.broker = folder / "tls", folder / "broker"
        patch.setattr(authority, "SystemClock", lambda: self.clock)
        shutil.copyfile(empty, folder / "central.sqlite")
        commands.init(folder, [f"hub.database={folder / 'central.sqlite'}"])
        hosts = [word for host in HOSTS for word in ("--host", host)]
        assert self.does("init") == 0
        assert self.does("server", "hub", *hosts, "--out", str(self.tls)) == 0
        assert self.does("server", "broker", *hosts, "--out", str(self.broker)) == 0
        assert self.does("hub", "--out", str(self.tls)) == 0

    def does(self, *words: str) -> int:
        return main(["authority", *words, "--config", str(self.folder / "central.toml")])

    def renews(self) -> int:
        return self.does("renew", str(self.tls), str(self.broker))

    def facts(self) -> dict[str, certificates.Facts]:
        root = (self.folder / "authority/root.pem").read_text()
        return {each.name: each.facts for each in worn((self.tls, self.broker), root)}

    def alarms(self) -> list[tuple[str, str, int]]:
        store = Store.open(load(self.folder / "central.toml").database)
        rows = store.read_now(lambda c: c.execute(t.ALARM.select()).all())
        store.close()
        return [(row.locker, row.kind, row.count) for row in rows]  # type: ignore[misc]  # the column's name


@pytest.fixture
def place(tmp_path: Path, new_hub: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, new_hub, monkeypatch)


def test_at_two_thirds_of_their_life_and_what_keeps_from_it_is_an_alarm(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    before, issued = place.facts(), place.folder / "authority/issued"
    assert set(before) == {"hub", "_central", "broker"}
    issued.unlink()
    ends_ms = min(each.not_after_ms for each in before.values())
    foreign = made.pair(
        place.tls, "page", Purpose.SERVER, now_ms=place.clock.now_ms, of=new_authority("B", 0)
    )
    place.clock.now_ms = ends_ms - RENEWED_MS - DAY_MS
    assert place.renews() == 0
    assert (place.facts(), issued.exists()) == (before, False)
    place.clock.now_ms = ends_ms - RENEWED_MS + DAY_MS
    assert place.renews() == 0
    after = place.facts()
    for name, each in after.items():
        assert each.not_after_ms > before[name].not_after_ms + 200 * DAY_MS
        assert (each.digest, each.serial != before[name].serial) == (before[name].digest, True)
    root = (place.folder / "authority/root.pem").read_text()
    hosts = {each.name: each.hosts for each in worn((place.tls, place.broker), root)}
    assert hosts == {"hub": HOSTS, "broker": HOSTS, "_central": ()}
    assert issued.read_text() == "_central, hub, broker\n"
    # What another authority signed is left to whoever put it there.
    assert (place.tls / "page.pem").read_text() == foreign
    key = place.folder / "authority/root.key"
    key.rename(key.with_name("away"))
    assert place.renews() == 0  # nothing is due: nothing is opened
    assert place.facts() == after
    place.clock.now_ms += 300 * DAY_MS
    assert [place.renews(), place.renews()] == [1, 1]
    assert "root.key" in capsys.readouterr().err
    assert place.alarms() == [("", OWN_KIND, 2)]


def test_a_timer_that_never_ran_is_an_alarm_too(parts: Parts) -> None:
    now_ms = parts.clock.now_ms
    row = {"serial": "1f", "name": "broker", "purpose": "server", "not_after_ms": now_ms + LEFT_MS}
    blank = {"digest": "", "pem": "", "issued_ms": 0, "revoked_ms": 0, "why": ""}
    parts.store.write_now(lambda c: insert(c, CERTIFICATE, [row | blank]))
    for day in range(3):
        parts.store.write_now(lambda c, at=now_ms + day * DAY_MS: look(c, at))  # type: ignore[misc]  # of one day
    assert [(each.locker, each.kind, each.subject) for each in parts.rows(t.ALARM)] == [("", OWN_KIND, "1f")]


def _shown(context: ssl.SSLContext, folder: Path) -> str:
    """The serial of what a server with this context shows."""
    client = ssl.create_default_context(cafile=str(folder / "root.pem"))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    answers = context.wrap_bio(to_server, to_client, server_side=True)
    for _turn in range(3):
        for side in (asks, answers):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = asks.getpeercert()
    assert shown
    return str(shown["serialNumber"]).lower().lstrip("0")


def test_the_page_wears_the_new_one_and_keeps_the_old_where_it_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(made.authority().pem)
    first = made.pair(tmp_path, "hub", Purpose.SERVER)
    config = uvicorn.Config("x:y", ssl_certfile=tmp_path / "hub.pem", ssl_keyfile=str(tmp_path / "hub.key"))
    hub.wear_anew(config)  # nothing is served yet
    config.ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    config.ssl.load_cert_chain(tmp_path / "hub.pem", tmp_path / "hub.key")
    config.loaded = True
    assert _shown(config.ssl, tmp_path) == certificates.read(first).serial
    second = made.pair(tmp_path, "hub", Purpose.SERVER)
    hub.wear_anew(config)
    assert _shown(config.ssl, tmp_path) == certificates.read(second).serial
    (tmp_path / "hub.key").write_text(certificates.new_key())
    hub.wear_anew(config)
    assert _shown(config.ssl, tmp_path) == certificates.read(second).serial
