"""`lockerd` as a real process between broker, hub and a cabinet of bytes: outages, bad input, its end."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hw_sim.people import Hands, Office, Phone, Visitor, doors_seen, until
from hw_sim.stack import LOCKER, Ports, Stack
from locker.journal.dump import dump
from tests.locker import broker_client

LOCKERD = str(Path(sys.executable).parent / "lockerd")
NAME, NUMBER = "张伟", "13812345678"
OUTAGE_S = 30.0

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]


class Site:
    """A running stack, and the people around it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.office, self.phone = Office(stack), Phone(stack)
        self.hands, self.visitor = Hands(stack), Visitor(stack)
        self._cases = 0

    def status(self) -> Mapping[str, Any]:
        return self.stack.status()

    def events(self) -> list[Mapping[str, Any]]:
        rows = dump(self.stack.locker_config.parent / "state" / "journal.sqlite3")
        return [json.loads(json.loads(row)["public"]) for row in rows]

    def kinds(self) -> list[str]:
        return [str(event["type"]) for event in self.events()]

    def code(self) -> str:
        """A drop-off code that works now: up to the hub, down to the locker."""
        self._cases += 1
        case = f"CASE-{self._cases}"
        self.office.pre_review(case, NAME, NUMBER)
        code = str(self.phone.awaits(NUMBER, "drop_off_code", case)["code"])
        until("the locker knows of it", lambda: any(e["data"].get("case") == case for e in self.events()))
        return code

    def hands_in(self, code: str) -> None:
        self.visitor.types(code)
        self.visitor.sees("offer")
        self.visitor.presses("open")
        self.hands.put_and_shut(int(self.visitor.sees("place")["door"]))
        self.visitor.sees("receipt")
        self.visitor.presses("leave")

    def synced(self) -> bool:
        centre = self.status()["centre"]
        return bool(centre["connected"] and centre["unsynced"] == 0)

    def standings(self) -> set[str]:
        return {board["standing"] for line in self.status()["lines"] for board in line["boards"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    stack = Stack(tmp_path_factory.mktemp("site") / "s", Ports.chosen(preferred=False))
    try:
        stack.start()
        here = Site(stack)
        until("every door is seen", lambda: doors_seen(stack))
        until("it is online", lambda: here.office.locker()["presence"] == "online")
        yield here
    finally:
        stack.stop()


# --- bad input ---------------------------------------------------------------------------------------------

BODIES: list[tuple[str, bytes]] = [
    ("/api/code", b""),
    ("/api/code", b"{"),
    ("/api/code", b"[]"),
    ("/api/code", b"null"),
    ("/api/code", b"\xff\xfe"),
    ("/api/code", b"{}"),
    ("/api/code", b"[" * 4_000),
    ("/api/code", b'{"typed": 12345678901}'),
    ("/api/code", b'{"typed": "12345678901", "scanned": "1"}'),
    ("/api/code", b'{"typed": "12345678901", "door": 3}'),
    ("/api/code", b'{"scanned": "' + b"1" * 4_000 + b'"}'),
    ("/api/code", b'{"scanned": "' + b"1" * 100_000 + b'"}'),
    ("/api/act", b"{}"),
    ("/api/act", b'{"act": "open_all"}'),
    ("/api/act", b'{"act": "open"}'),
    ("/api/act", b'{"act": ["open"]}'),
    ("/api/act", b'{"act": "load_open", "lower": 1}'),
    ("/api/act", b'{"act": "intake_open", "deposit": 7}'),
    ("/api/act", b'{"act": "check_open", "door": "1; DROP TABLE"}'),
    ("/api/act", b'{"act": "pin", "digits": "246810"}'),
    ("/api/act", b'{"act": "language", "lang": "xx"}'),
]


def test_a_body_that_does_not_fit_changes_nothing(site: Site) -> None:
    until("nothing is under way", site.synced)
    seq, pulses = site.status()["seq"], len(site.hands.pulses())
    headers = {"Origin": site.stack.kiosk_url, "Content-Type": "application/json"}
    with httpx.Client(base_url=site.stack.kiosk_url, headers=headers, timeout=60) as page:
        page.headers["X-Kiosk-Boot"] = page.get("/api/view").json()["boot"]
        for path, body in BODIES:
            answer = page.post(path, content=body)
            assert 400 <= answer.status_code < 500, (path, body[:60], answer.text)
            assert answer.json()["reason"], (path, body[:60])
        assert page.post("/api/act", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
        assert page.post("/api/act", json={"act": "leave"}, headers={"Origin": "http://x"}).status_code == 403
        assert page.get("/api/view", headers={"Host": "evil.example"}).status_code == 421
        assert page.put("/api/code", content=b"{}").status_code == 405
        assert page.get("/api/open_all").status_code == 404
        assert page.get("/api/view").json()["screen"] == "home"
    assert (site.status()["seq"], len(site.hands.pulses())) == (seq, pulses)


CODES = [
    "1",
    "1234567890",
    "123456789012",
    "1234567890a",
    "\uff11\uff12\uff13",
    "-1234567890",
    "%s" * 20,
    "9" * 1_999,
]


def test_a_malformed_code_is_refused_as_any_other_and_opens_nothing(site: Site) -> None:
    pulses, grants = len(site.hands.pulses()), site.kinds().count("OpeningRequested")
    refusals = set()
    for code in CODES:
        for view in (site.visitor.types(code), site.visitor.scans(code)):
            refusals.add(view["refused"]["reason"])
            assert code not in json.dumps(view, ensure_ascii=False) or len(code) < 4
    site.visitor.presses("leave")
    assert refusals <= {"code_slip", "code_not_accepted", "too_many_tries"}
    assert (len(site.hands.pulses()), site.kinds().count("OpeningRequested")) == (pulses, grants)


def test_rubbish_from_the_broker_is_counted_and_the_stream_goes_on(site: Site) -> None:
    """Published with the hub's own password: a taken-over broker could do no more."""
    before = sum(site.status()["dropped"].values())
    down = f"doclocker/v1/{LOCKER}/dn"
    frames = [
        b"",
        b"\0",
        b"{}",
        b"\1" + bytes(72) + b"{}",
        b"\xff" * 73,
        b"x" * 100_000,
        "门".encode() * 1_000,
    ]
    said = [
        broker_client.Said(f"{down}/{name}", frame)
        for name in ("hello", "log", "ack", "act", "later-version")
        for frame in frames
    ]
    said += [
        broker_client.Said(f"{down}/act", b"{}", retain=True),
        broker_client.Said("doclocker/v1/_central/link", b"rubbish"),
    ]
    oversized = [
        broker_client.Said(f"{down}/log", b"x" * 200_000)
    ]  # beyond what the locker lets be sent to it
    central = site.stack.central()["broker"]
    broker_client.publish(site.stack.ports.broker, central["user"], central["password"], said + oversized)
    try:
        until("all of it is counted", lambda: sum(site.status()["dropped"].values()) >= before + len(said))
        site.hands_in(site.code())
        until("everything is at the centre", site.synced)
        dropped = site.status()["dropped"]
        assert sum(dropped.values()) == before + len(said), dropped
    finally:
        clear = [broker_client.Said(f"{down}/act", b"", retain=True)]
        broker_client.publish(site.stack.ports.broker, central["user"], central["password"], clear)


# --- outages -----------------------------------------------------------------------------------------------


def test_it_starts_without_port_and_broker_and_works_once_they_come(site: Site) -> None:
    code = site.code()
    assert site.stack.stop_locker() == 0
    site.stack.stop_cabinet()
    site.stack.kill_broker()
    site.stack.start_locker()
    process = site.stack.process("locker")
    assert site.visitor.view()["screen"] == "home"
    until("it says that its boards are silent", lambda: "ok" not in site.standings())
    status = site.status()
    assert not status["centre"]["connected"]
    assert status["centre"]["unsynced"] > 0
    assert {c["door"] for c in status["compartments"].values()} == {"unknown"}
    grants = site.kinds().count("OpeningRequested")
    site.visitor.types(code)
    view = site.visitor.presses("open") if site.visitor.view()["screen"] == "offer" else site.visitor.view()
    assert view["screen"] not in {"place", "opening"}
    assert site.kinds().count("OpeningRequested") == grants
    site.visitor.presses("leave")
    site.stack.start_cabinet()
    until("the cabinet is found", lambda: doors_seen(site.stack), OUTAGE_S)
    assert site.hands.pulses() == []
    site.hands_in(code)
    assert not site.status()["centre"]["connected"]
    site.stack.start_broker()
    until("everything is at the centre", site.synced, OUTAGE_S)
    assert site.stack.process("locker") == process
    assert psutil.Process(process).is_running()


def test_a_port_that_vanishes_is_said_and_taken_back(site: Site) -> None:
    process = site.stack.process("locker")
    site.stack.stop_cabinet()
    until("its doors are unknown", lambda: not doors_seen(site.stack))
    assert "BoardWentSilent" in site.kinds()
    site.stack.start_cabinet()
    until("its doors are seen again", lambda: doors_seen(site.stack), OUTAGE_S)
    assert site.kinds()[::-1].index("BoardAnswered") < site.kinds()[::-1].index("BoardWentSilent")
    site.hands_in(site.code())
    assert psutil.Process(process).is_running()


# --- ends and beginnings -----------------------------------------------------------------------------------


def test_told_to_stop_in_mid_opening_it_stops_in_order_and_pulses_no_more(site: Site) -> None:
    code = site.code()
    numbers = [door["number"] for door in site.hands.doors()]
    for number in numbers:
        site.hands.do(number, "jam")
    before = len(site.hands.pulses())
    site.visitor.types(code)
    site.visitor.presses("open")
    until("the lock was pulsed", lambda: len(site.hands.pulses()) == before + 1)
    assert site.stack.stop_locker() == 0
    events = site.events()
    assert events[-1]["type"] == "Stopped"
    assert events[-2]["type"] != "OpeningRequested"
    site.stack.start_locker()
    until("its doors are seen again", lambda: doors_seen(site.stack))
    assert "OpeningUnknown" in [e["type"] for e in site.events()[len(events) :]]
    assert len(site.hands.pulses()) == before + 1
    for number in numbers:
        site.hands.do(number, "unjam")
    if site.visitor.view()["screen"] != "home":
        site.visitor.presses("leave")


def start(config: Path, code: int) -> str:
    """A daemon that must not come up; its one line."""
    done = subprocess.run(
        [LOCKERD, "--config", str(config)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("INFO", "WARNING"))]
    assert len(lines) == 1
    assert lines[0].startswith("lockerd: ")
    return lines[0]


def test_a_second_daemon_is_refused_and_disturbs_nothing(site: Site) -> None:
    process = site.stack.process("locker")
    said = start(site.stack.locker_config, 1)
    assert f"in use by process {process}" in said
    assert json.loads(site.stack.lockerctl("status"))["ok"]
    known = site.events()
    dumped = site.stack.lockerctl("journal", "dump").splitlines()
    assert [json.loads(json.loads(row)["public"]) for row in dumped][: len(known)] == known


def changed(site: Site, name: str, pattern: str, put: str) -> Path:
    """The locker's configuration with one thing changed, beside the true one."""
    text = re.sub(pattern, put, site.stack.locker_config.read_text(encoding="utf-8"), count=1)
    path = site.stack.locker_config.with_name(name)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_cannot_start_says_why_in_one_line(site: Site) -> None:
    said = start(changed(site, "busy-port.toml", '"state"', '"state-2"'), 1)
    assert f"127.0.0.1:{site.stack.ports.kiosk}" in said
    said = start(changed(site, "wrong.toml", "baud = 9600", "baud = 96"), 2)
    assert re.search(r"wrong\.toml:\d+: line A: 96 baud", said)
    said = start(changed(site, "other.toml", f'"{LOCKER}"', '"demo-2"'), 2)
    assert "own.json: made for locker 'demo-1'" in said
    said = start(changed(site, "no-keys.toml", '"keys"', '"nowhere"'), 2)
    assert "lockerctl keys new" in said
    said = start(changed(site, "blocked.toml", '"state"', '"locker.toml/state"'), 1)
    assert "Correct state_dir" in said
    assert site.status()["ok"]


# --- a journal that cannot be written ----------------------------------------------------------------------


def test_a_journal_that_fails_opens_nothing_more_and_the_page_says_so(site: Site) -> None:
    code, stack = site.code(), site.stack
    process, pulses = psutil.Process(stack.process("locker")), len(site.hands.pulses())
    # As a full disk: what makes a file longer than this fails.
    _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (512, hard))
    site.visitor.types(code)
    assert site.visitor.presses("open")["refused"]["reason"] == "journal_failing"
    assert httpx.get(f"{stack.kiosk_url}/healthz").status_code == 503
    assert site.status()["journal_failing"]
    # A word of the centre, which cannot be kept, ends the link and nothing else.
    site.office.pre_review("CASE-LATE", NAME, NUMBER)
    until("the link has ended", lambda: not site.status()["centre"]["connected"])
    # Space again is not enough: what the disk did to the file is for people to look at.
    process.rlimit(psutil.RLIMIT_FSIZE, (hard, hard))
    site.visitor.presses("leave")
    seq = site.status()["seq"]
    view = site.visitor.types(code)
    assert view["screen"] in {"home", "offer", "problem"}
    if view["screen"] == "offer":
        assert site.visitor.presses("open")["refused"]["reason"] == "journal_failing"
        site.visitor.presses("leave")
    assert site.visitor.view()["title"]
    assert (len(site.hands.pulses()), site.status()["seq"]) == (pulses, seq)
    assert process.is_running()
    # Stopped and started on a disk that takes it, everything is as it was.
    assert stack.stop_locker() == 0
    stack.start_locker()
    until("its doors are seen again", lambda: doors_seen(stack))
    site.hands_in(code)
    until("everything is at the centre", site.synced, OUTAGE_S)
    assert "hold" in stack.lockerctl("journal", "verify")
    assert len(site.hands.pulses()) == pulses + 1
