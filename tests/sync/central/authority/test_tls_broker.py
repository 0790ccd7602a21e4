"""A real mosquitto as the hub sets it up: who comes in, and what each may say and hear."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from locker.ctl.provision_hub import broker_takes
from sync import certificates
from sync.central.authority.issuing import Purpose, new_authority
from sync.link.settings import TlsFiles
from tests.sync.central.authority import made
from tests.sync.central.authority.made import TlsBroker
from tests.sync.links import Remembering, settings_for, started

pytestmark = pytest.mark.processes
A, B, HUB = "loc-1", "loc-2", "_central"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsBroker]:
    broker = TlsBroker(tmp_path_factory.mktemp("broker"))
    for name, purpose in ((A, Purpose.LOCKER), (B, Purpose.LOCKER), (HUB, Purpose.HUB)):
        made.pair(broker.directory, name, purpose)
    broker.start()
    yield broker
    broker.stop()


def up(locker: str, name: str = "state") -> str:
    return f"doclocker/v1/{locker}/up/{name}"


def down(locker: str) -> str:
    return f"doclocker/v1/{locker}/dn/log"


def retained(broker: TlsBroker) -> dict[str, str]:
    """What the broker keeps for the hub, by topic."""
    words = broker.words("mosquitto_sub", HUB, "-v", "-t", "doclocker/v1/+/up/#", "-t", "end", "-W", "1")
    told = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stdout
    return dict(line.split(" ", 1) for line in told.splitlines())


def vanish(broker: TlsBroker, name: str, topic: str, message: str) -> None:
    """Connect with a will, and be gone without a word."""
    will = ["--will-topic", topic, "--will-payload", message, "--will-qos", "1", "--will-retain"]
    seen = len(broker.log)
    client = subprocess.Popen(broker.words("mosquitto_sub", name, "-t", down(name), *will))
    broker.await_log(f"Sending SUBACK to {name}", since=seen)
    client.kill()
    client.wait()
    broker.await_end(name, since=seen)


def test_each_speaks_for_itself_alone(broker: TlsBroker) -> None:
    assert "Not authorized" not in broker.say(A, up(A), "mine", "-r").stderr
    for name, topic in (
        (A, up(B)),
        (A, down(A)),
        (A, down(B)),
        (A, "doclocker/v1/_central/link"),
        (HUB, up(A)),
    ):
        assert "Not authorized" in broker.say(name, topic, "stolen", "-r").stderr, (name, topic)
    assert retained(broker) == {up(A): "mine"}


def test_a_will_says_nothing_that_its_owner_may_not(broker: TlsBroker) -> None:
    vanish(broker, A, up(B, "link"), "gone")
    vanish(broker, A, up(A, "link"), "gone")
    kept = retained(broker)
    assert up(B, "link") not in kept
    assert kept[up(A, "link")] == "gone"


def test_nobody_hears_what_is_for_another(broker: TlsBroker) -> None:
    topics = [word for topic in (down(B), up(B), down(A)) for word in ("-t", topic)]
    seen = len(broker.log)
    words = broker.words("mosquitto_sub", A, "-C", "1", *topics)
    listening = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    broker.await_log(f"Sending SUBACK to {A}", since=seen)
    for topic in (down(B), down(A)):
        broker.say(HUB, topic, f"for {topic}")
    assert listening.communicate(timeout=60)[0] == f"for {down(A)}\n"


def test_a_name_is_what_the_certificate_says(broker: TlsBroker) -> None:
    """Whoever calls himself somebody else keeps his own session, and ends nobody's."""
    seen = len(broker.log)
    staying = subprocess.Popen(broker.words("mosquitto_sub", B, "-t", down(B)), stdout=subprocess.PIPE)
    broker.await_log(f"Sending SUBACK to {B}", since=seen)
    assert "Not authorized" in broker.say(A, up(B), "stolen", "-i", B, "-u", B, "-P", "x").stderr
    broker.say(HUB, down(B), "still there")
    assert staying.stdout is not None
    assert staying.stdout.readline() == b"still there\n"
    staying.kill()
    staying.communicate()


def test_who_has_no_good_certificate_does_not_come_in(broker: TlsBroker) -> None:
    other = new_authority("Test", made.NOW_MS)
    made.pair(broker.directory, "loc-8", Purpose.LOCKER, of=other)
    made.pair(broker.directory, "loc-9", Purpose.LOCKER, now_ms=made.NOW_MS - made.OVER)
    for name in ("", "loc-8", "loc-9"):
        assert broker.say(name, up(name or A), "x").returncode != 0, name
    assert broker.say(A, up(A), "x").returncode == 0


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_nothing_older_than_tls_1_3_is_spoken(broker: TlsBroker, newest: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(broker.directory / "root.pem"))
    context.load_cert_chain(str(broker.directory / f"{A}.pem"), str(broker.directory / f"{A}.key"))
    context.maximum_version = newest
    with socket.create_connection((broker.host, broker.port)) as plain:
        if newest is ssl.TLSVersion.TLSv1_3:
            context.wrap_socket(plain, server_hostname=broker.host).close()
            return
        with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
            context.wrap_socket(plain, server_hostname=broker.host)


def test_a_broker_of_another_authority_is_not_spoken_to(broker: TlsBroker, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(new_authority("Test", made.NOW_MS).pem)
    pair = joined(broker, A, tmp_path)
    assert broker_takes(broker.host, broker.port, tmp_path / "root.pem", pair) is False


def joined(broker: TlsBroker, name: str, folder: Path) -> Path:
    pair = folder / f"{name}-both.pem"
    both = [(broker.directory / f"{name}.{kind}").read_text() for kind in ("key", "pem")]
    pair.write_text("".join(both))
    return pair


def test_a_revoked_certificate_is_refused_once_the_list_is_read(broker: TlsBroker, tmp_path: Path) -> None:
    pem = made.pair(broker.directory, "loc-7", Purpose.LOCKER)
    pair, root = joined(broker, "loc-7", tmp_path), broker.directory / "root.pem"
    assert broker_takes(broker.host, broker.port, root, pair) is True
    made.revoke(broker.directory, pem)
    broker.reload()
    assert broker_takes(broker.host, broker.port, root, pair) is False
    assert broker.say("loc-7", up("loc-7"), "x").returncode != 0
    assert broker.say(A, up(A), "x").returncode == 0


async def test_a_link_wears_the_next_certificate_from_its_next_connection(
    broker: TlsBroker, tmp_path: Path
) -> None:
    name, root = "loc-6", broker.directory / "root.pem"
    first = made.pair(broker.directory, name, Purpose.LOCKER)
    pair = joined(broker, name, tmp_path)
    own = {"user": "", "password": "", "tls": TlsFiles(root, pair, pair)}
    listener = Remembering()
    link = await started(settings_for(broker.port, name, down(name), **own), listener)
    await listener.until(lambda: bool(listener.connections))
    broker.say(HUB, down(name), "hello")
    await listener.until(lambda: bool(listener.messages))
    made.pair(broker.directory, name, Purpose.LOCKER)
    joined(broker, name, tmp_path)
    made.revoke(broker.directory, first)
    broker.stop()
    broker.start()
    await listener.until(lambda: len(listener.connections) == 2)
    await link.stop()


def test_a_new_certificate_of_its_own_is_worn_and_ends_no_connection(broker: TlsBroker) -> None:
    def shown() -> str:
        context = ssl.create_default_context(cafile=str(broker.directory / "root.pem"))
        context.load_cert_chain(broker.directory / f"{B}.pem", broker.directory / f"{B}.key")
        with (
            socket.create_connection((broker.host, broker.port)) as plain,
            context.wrap_socket(plain, server_hostname=broker.host) as secured,
        ):
            told = secured.getpeercert()
        assert told
        return str(told["serialNumber"]).lower().lstrip("0")

    before, seen = shown(), len(broker.log)
    staying = subprocess.Popen(broker.words("mosquitto_sub", A, "-t", down(A)), stdout=subprocess.PIPE)
    broker.await_log(f"Sending SUBACK to {A}", since=seen)
    pem = made.pair(broker.directory, "broker", Purpose.SERVER)
    broker.reload()
    assert certificates.read(pem).serial == shown() != before
    broker.say(HUB, down(A), "still there")
    assert staying.stdout is not None
    assert staying.stdout.readline() == b"still there\n"
    staying.kill()
    staying.communicate()
