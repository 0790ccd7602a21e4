"""A release on its way from the hub to a locker: cut anywhere it is whole and signed, or it is not there."""

import errno
import json
from collections.abc import Generator
from dataclasses import dataclass, field
from io import BytesIO
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk
from typing import Any, Final

import pytest

from locker.domain.policy import DISK_FULL_PERCENT
from systemd.updater import fetch as fetching
from systemd.updater import releases, trusted
from systemd.updater.admit import Here
from systemd.updater.envelope import judged, listed, name_of, packed
from systemd.updater.errors import BadRelease, HubAway, HubBusy, NoKeys, Unfit, UpdateError
from systemd.updater.fetch import FOLDER, LATER_S, TRIES, fetch, waiting
from systemd.updater.manifest import Manifest
from tests.update import made
from tests.update.forgetful import ForgetfulDisk, PowerCut
from tests.update.street import OLD, Made, Street, opened

HERE: Final = Here("aarch64", "3.11", OLD, 0)
OURS: Final = made.signer()
KEYS: Final = (OURS.public,)
SEEDS: Final = 6
POINTS_MIN: Final = 60


FILES: Final = made.FILES | {"wheels/large-1-py3-none-any.whl": bytes(range(256)) * 10}


def version(number: str, **other: object) -> Manifest:
    return made.manifest(number, **{"files": listed(FILES, ("systemd/guard", "systemd/install")), **other})


def file_with(said: Manifest) -> bytes:
    return b"".join(packed(said, FILES, OURS.sign))


@dataclass
class Centre:
    """Fits `systemd.updater.offers.Hub`. ``lies``: what its list says otherwise than the files themselves."""

    files: dict[str, bytes] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    breaks_after: int = 1 << 40
    """Bytes of one file, then the line is dead."""
    busy: int = 0
    """So often it says: later."""
    part: int = 37
    sent: int = 0

    def offers(self, said: Manifest) -> "Centre":
        self.files[f"{said.version}.release"] = file_with(said)
        return self

    def listed(self) -> bytes:
        if self.busy:
            self.busy -= 1
            raise HubBusy("https://hub")
        return json.dumps({"releases": [self._told(name) for name in self.files]}).encode()

    def _told(self, name: str) -> dict[str, Any]:
        try:
            said, _ = judged(BytesIO(self.files[name]), KEYS)
        except BadRelease:
            said = version(name.removesuffix(".release"))
        told = {"file": name, "release": name_of(said), "built_s": said.built_s}
        return {**told, "machine": said.machine, "python": said.python, **self.lies}

    def parts(self, file: str, after: int) -> Generator[bytes]:
        content = self.files[file][: after + self.breaks_after]
        for at in range(after, len(content), self.part):
            self.sent += len(content[at : at + self.part])
            yield content[at : at + self.part]
        if len(content) < len(self.files[file]):
            raise HubAway("https://hub", "the line is dead")


def street() -> Street:
    """A locker that runs `OLD` and trusts who makes the releases here."""
    here = opened(Made(), "1.1.0-bbbbbbbbbbbb", {})
    trusted.keep(here.disk, KEYS)
    here.disk.sync_all()
    here.disk.steps = 0
    return here


def there(disk: ForgetfulDisk) -> dict[str, bytes]:
    return disk.files(FOLDER)


NEW: Final = version("1.1.0")
NAME: Final = name_of(NEW)
WHOLE: Final = {f"{NAME}.release": file_with(NEW)}


def test_what_is_newer_comes_whole_and_is_not_fetched_twice() -> None:
    locker, centre = street(), Centre().offers(NEW)
    assert fetch(locker, centre, HERE) == NAME
    assert there(locker.disk) == WHOLE
    assert centre.sent == len(WHOLE[f"{NAME}.release"])
    assert fetch(locker, centre, HERE) == NAME
    assert centre.sent == len(WHOLE[f"{NAME}.release"])
    assert locker.runs == OLD, "nothing is installed by it"
    assert locker.disk.read(releases.CURRENT + "/systemd/guard") == b"old"


def test_it_keeps_to_its_pace() -> None:
    locker, centre = street(), Centre().offers(NEW)
    began_s = locker.mono_s()
    fetch(locker, centre, HERE, rate_kib=1)
    assert locker.mono_s() - began_s == pytest.approx(centre.sent / 1024)


def cut(at: int) -> Street | None:
    """At its operation ``at``; ``None`` where there are not so many."""
    locker = street()
    locker.disk.cut_at = at
    try:
        fetch(locker, Centre().offers(NEW), HERE)
    except PowerCut:
        return locker
    return None


def cut_everywhere() -> int:
    """The number of places. What has a release's name is one, at each; and the next try ends well."""
    at = 0
    while ended := cut(at + 1):
        at += 1
        for seed in range(SEEDS + 1):
            chance = Random(f"{at}/{seed}") if seed else None
            locker = ended.after_cut(ended.disk.after_cut(chance))
            for name, content in there(locker.disk).items():
                assert not name.endswith(".release") or content == WHOLE[name]
            assert waiting(locker.disk, KEYS) in ([], [NAME])
            assert fetch(locker, Centre().offers(NEW), HERE) == NAME
            assert there(locker.disk) == WHOLE
            assert there(locker.disk.after_cut(chance)) == WHOLE, "on return it lasts"
    return at


def test_the_power_goes_anywhere() -> None:
    points = cut_everywhere()
    print(f"cut at {points} points, {SEEDS + 1} disks each")
    assert points >= POINTS_MIN


def test_a_name_that_came_before_its_bytes_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted mistake."""
    monkeypatch.setattr(ForgetfulDisk, "sync_file", lambda *_: None)
    with pytest.raises(AssertionError):
        cut_everywhere()


def test_the_line_dies_after_any_byte_and_it_goes_on_from_there() -> None:
    size = len(WHOLE[f"{NAME}.release"])
    for dies_after in range(0, size, 23):
        locker, centre = street(), Centre(breaks_after=dies_after).offers(NEW)
        with pytest.raises(UpdateError):
            fetch(locker, centre, HERE)
        assert waiting(locker.disk, KEYS) == []
        kept, centre.sent, centre.breaks_after = sum(map(len, there(locker.disk).values())), 0, 1 << 40
        assert fetch(locker, centre, HERE) == NAME
        assert there(locker.disk) == WHOLE
        assert centre.sent == size - kept


@pytest.mark.parametrize("was_begun", [False, True])
def test_a_changed_byte_anywhere_is_refused_and_leaves_nothing(was_begun: bool) -> None:
    good = WHOLE[f"{NAME}.release"]
    for at in range(0, len(good), 31):
        locker = street()
        if was_begun:
            with pytest.raises(UpdateError):
                fetch(locker, Centre(breaks_after=at).offers(NEW), HERE)
        bad = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        honest = Centre().offers(NEW)
        said = honest._told("1.1.0.release")
        centre = Centre(files={"1.1.0.release": bad}, lies=said)
        with pytest.raises(BadRelease):
            fetch(locker, centre, HERE)
        assert there(locker.disk) == {}
        assert fetch(locker, honest, HERE) == NAME


def test_nothing_is_written_of_what_nobody_trusted_has_signed() -> None:
    locker, centre = street(), Centre()
    by_others = b"".join(packed(NEW, FILES, made.signer(2).sign))
    centre.files["1.1.0.release"] = by_others
    centre.lies = {"release": NAME}
    with pytest.raises(BadRelease, match="nobody whom this machine trusts"):
        fetch(locker, centre, HERE)
    assert there(locker.disk) == {}
    assert centre.sent < len(by_others), "its head is enough"


def test_more_than_was_signed_is_not_taken() -> None:
    locker, centre = street(), Centre().offers(NEW)
    lies = centre._told("1.1.0.release")
    endless = Centre(files={"1.1.0.release": WHOLE[f"{NAME}.release"] + bytes(10_000)}, lies=lies)
    with pytest.raises(BadRelease, match="nobody signed"):
        fetch(locker, endless, HERE)
    assert there(locker.disk) == {}
    assert endless.sent < len(WHOLE[f"{NAME}.release"]) + 2 * endless.part


@pytest.mark.parametrize(
    "other",
    [
        version("0.9.0"),
        version("1.1.0", machine="x86_64"),
        version("1.1.0", python="3.13"),
        version("1.0.0", built_s=0),
    ],
    ids=["older", "another machine", "another Python", "no newer"],
)
def test_what_is_not_for_here_is_not_fetched(other: Manifest) -> None:
    locker, centre = street(), Centre().offers(other)
    assert fetch(locker, centre, HERE) == ""
    assert centre.sent == 0


def test_an_older_one_under_a_newer_name_is_refused() -> None:
    """A hub in other hands says so; the signed manifest says otherwise."""
    old = version("0.9.0")
    locker, centre = street(), Centre().offers(old)
    centre.lies = {"release": NAME}
    with pytest.raises(BadRelease, match="the hub says that"):
        fetch(locker, centre, HERE)
    centre.lies = {"release": "1.0.0-" + name_of(old).partition("-")[2], "built_s": 1 << 39}
    with pytest.raises(BadRelease, match="the hub says that"):
        fetch(locker, centre, HERE)
    assert there(locker.disk) == {}


@pytest.mark.parametrize(
    "listed",
    [b"", b"[]", b"\xff", b'{"releases": 7}', b'{"releases": [7]}', b"[" * 50_000, b'{"releases": [{}]}'],
)
def test_a_list_that_says_nothing_is_no_offer(listed: bytes) -> None:
    class Odd(Centre):
        def listed(self) -> bytes:
            return listed

    assert fetch(street(), Odd(), HERE) == ""


@pytest.mark.parametrize("file", ["../../etc/passwd", "a/b.release", "x.release?y", "", "a b.release"])
def test_no_name_leads_elsewhere(file: str) -> None:
    centre = Centre(lies={"file": file}).offers(NEW)
    assert fetch(street(), centre, HERE) == ""


def test_two_wait_at_most_and_none_that_is_no_newer() -> None:
    locker, centre = street(), Centre()
    names = [fetch(locker, centre.offers(version(number)), HERE) for number in ("1.1.0", "1.2.0", "1.10.0")]
    assert waiting(locker.disk, KEYS) == [names[2], names[1]]
    assert set(there(locker.disk)) == {f"{names[2]}.release", f"{names[1]}.release"}
    facts = f"{releases.folder(names[1])}/{releases.FACTS}"
    locker.disk.settle(facts, version("1.2.0").encoded())
    assert fetch(locker, Centre(), Here("aarch64", "3.11", names[1], 0)) == names[2]
    assert waiting(locker.disk, KEYS) == [names[2]]


def test_what_was_begun_of_another_goes() -> None:
    locker = street()
    with pytest.raises(HubAway):
        fetch(locker, Centre(breaks_after=2_000).offers(NEW), HERE)
    assert [name.rpartition(".")[2] for name in there(locker.disk)] == ["part"]
    later = fetch(locker, Centre().offers(version("1.2.0")), HERE)
    assert set(there(locker.disk)) == {f"{later}.release"}


def test_one_that_waits_and_is_trusted_no_more_goes() -> None:
    locker = street()
    fetch(locker, Centre().offers(NEW), HERE)
    trusted.keep(locker.disk, [made.signer(2).public])
    assert fetch(locker, Centre(), HERE) == ""
    assert there(locker.disk) == {}
    locker.disk.unlink(trusted.FILE)
    with pytest.raises(NoKeys):
        fetch(locker, Centre().offers(NEW), HERE)


def test_it_waits_for_a_hub_that_has_others_to_serve() -> None:
    locker = street()
    began_s = locker.mono_s()
    assert fetch(locker, Centre(busy=TRIES - 1).offers(NEW), HERE) == NAME
    assert locker.mono_s() - began_s >= (TRIES - 1) * LATER_S
    with pytest.raises(HubBusy, match="at night"):
        fetch(street(), Centre(busy=TRIES).offers(NEW), HERE)


class Full(ForgetfulDisk):
    """So many bytes fit on it."""

    left: int = 0

    def append(self, path: str, content: bytes) -> None:
        if len(content) > self.left:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.left -= len(content)
        super().append(path, content)


def test_a_disk_that_fills_up_says_so_and_is_left_as_it_was() -> None:
    for left in range(0, len(WHOLE[f"{NAME}.release"]), 97):
        locker = street()
        disk = Full(locker.disk.named)
        disk.left, locker.disk = left, disk
        with pytest.raises(Unfit, match="the disk is full, nothing of it is kept: journalctl"):
            fetch(locker, Centre().offers(NEW), HERE)
        assert there(disk) == {}


def test_no_release_fills_the_disk() -> None:
    """Before it comes to that."""
    assert fetching.FULL_PERCENT == DISK_FULL_PERCENT
    total, size = 16 << 30, len(WHOLE[f"{NAME}.release"])
    tenth = total - total * DISK_FULL_PERCENT // 100
    for free, goes in ((tenth + size, True), (tenth + size - total // 100, False), (1 << 20, False)):
        locker = street()
        locker.free = free
        if goes:
            assert fetch(locker, Centre().offers(NEW), HERE) == NAME
            continue
        with pytest.raises(Unfit, match="% of the disk would be used"):
            fetch(locker, Centre().offers(NEW), HERE)
        assert there(locker.disk) == {}


def test_what_root_began_by_hand_is_begun_anew() -> None:
    class Roots(ForgetfulDisk):
        """Of a part that is there nobody else may write more."""

        def append(self, path: str, content: bytes) -> None:
            if path in mine or self.read(path) is None:
                mine.add(path)
                super().append(path, content)
                return
            raise PermissionError(errno.EACCES, "Permission denied", path)

    mine: set[str] = set()
    locker = street()
    with pytest.raises(HubAway):
        fetch(locker, Centre(breaks_after=2_000).offers(NEW), HERE)
    locker.disk.sync_all()
    locker.disk = Roots(locker.disk.named)
    assert fetch(locker, Centre().offers(NEW), HERE) == NAME
    assert there(locker.disk) == WHOLE
