"""The tests' own broker lets in whom the wire contract lets in, and nobody else."""

import subprocess

import pytest

from tests.mosquitto import CENTRAL_USER, Broker, program

pytestmark = pytest.mark.processes


def publish(broker: Broker, user: str, topic: str, message: str = "x") -> subprocess.CompletedProcess[str]:
    return run(broker, "mosquitto_pub", user, topic, "-m", message, "-q", "1", "-r", "-d")


def read(broker: Broker, user: str, topic: str) -> str:
    return run(broker, "mosquitto_sub", user, topic, "-C", "1", "-W", "1").stdout.strip()


def run(broker: Broker, tool: str, user: str, topic: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [program(tool), "-V", "5", "-h", broker.host, "-p", str(broker.port), "-u", user, "-P", "pw"]
    return subprocess.run(
        [*command, "-t", topic, *more], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_locker_speaks_upwards_and_hears_downwards(broker: Broker) -> None:
    for user in ("loc-1", CENTRAL_USER):
        broker.add_user(user, "pw")
    publish(broker, "loc-1", "doclocker/v1/loc-1/up/state", "up")
    publish(broker, CENTRAL_USER, "doclocker/v1/loc-1/dn/log", "down")
    publish(broker, CENTRAL_USER, "doclocker/v1/_central/link", "here")
    assert read(broker, CENTRAL_USER, "doclocker/v1/+/up/state") == "up"
    assert read(broker, "loc-1", "doclocker/v1/loc-1/dn/log") == "down"
    assert read(broker, "loc-1", "doclocker/v1/_central/link") == "here"


def test_nobody_speaks_for_another(broker: Broker) -> None:
    for user in ("loc-1", "loc-2", CENTRAL_USER):
        broker.add_user(user, "pw")
    for user, topic in (
        ("loc-2", "doclocker/v1/loc-1/up/state"),
        ("loc-1", "doclocker/v1/loc-1/dn/act"),
        ("loc-1", "doclocker/v1/_central/link"),
        (CENTRAL_USER, "doclocker/v1/loc-1/up/log"),
    ):
        assert "Not authorized" in publish(broker, user, topic).stderr, (user, topic)
    assert publish(broker, "stranger", "doclocker/v1/stranger/up/log").returncode != 0


def test_it_comes_back_on_its_port_with_its_users_and_nothing_else(broker: Broker) -> None:
    broker.add_user("loc-1", "pw")
    broker.add_user(CENTRAL_USER, "pw")
    publish(broker, "loc-1", "doclocker/v1/loc-1/up/state", "before")
    port = broker.port
    for end in (broker.kill, broker.stop):
        end()
        assert not broker.running
        assert publish(broker, "loc-1", "doclocker/v1/loc-1/up/state").returncode != 0
        broker.start()
        assert broker.port == port
    assert read(broker, CENTRAL_USER, "doclocker/v1/loc-1/up/state") == ""
