"""The power goes at every step of an update: what starts is one of two releases, whole, and nothing that
somebody was promised is lost."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk
from typing import Final

import pytest

from systemd.updater import back, releases, trial, update, watch
from systemd.updater.admit import Here
from systemd.updater.envelope import Release
from systemd.updater.host import Host
from systemd.updater.roles import ROLES
from systemd.updater.trial import Back, Outcome, Trial
from tests.update import made
from tests.update.forgetful import ForgetfulDisk, PowerCut
from tests.update.street import JOURNAL, OLD, Made, Street, opened

ROLE: Final = ROLES["locker"]
POINTS_MIN: Final = 200
SEEDS: Final = 2
TOLD: Final = "/var/lib/doclocker/results/update.json"
HERE: Final = Here("aarch64", "3.11", OLD, 1)
NEXT: Final = frozenset({"Booted", "Stopped", "ItemPickedUp", "SomethingNew"})


@dataclass(frozen=True)
class Story:
    """What the new release is like, and how an update to it ends where nothing disturbs it."""

    new: Made
    ends: Outcome


STORIES: Final = {
    "good": Story(Made(), Outcome.DONE),
    "does not come up": Story(Made(dies=True), Outcome.BACK),
    "its page is broken": Story(Made(unwell="kiosk", used=True), Outcome.BACK),
    "its doctor is stricter": Story(Made(strict="rights"), Outcome.DONE),
    "its doctor crashes": Story(Made(strict="crash"), Outcome.BACK),
    "another schema": Story(Made(schema=2, kinds=NEXT), Outcome.DONE),
    "another schema, does not come up": Story(Made(schema=2, dies=True), Outcome.BACK),
    "another schema, used, not well": Story(Made(schema=2, used=True, unwell="boards"), Outcome.STAYS),
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made.release(tmp_path_factory.mktemp("releases"), made.manifest(journal_schema=2))


def beginning(story: Story, release: Release) -> Street:
    kept = {name: content for name, content in made.FILES.items() if not name.startswith("wheels/")}
    whole = kept | {"bin/python": b"made", "lib/ours.py": b"installed", "lib/theirs.py": b"installed"}
    return opened(story.new, release.name, whole | {releases.WHOLE: b""})


def updated(street: Street, release: Release) -> None:
    """As an operator asks for it, and as the service goes on with it."""
    on = update.make(street, ROLE, release, HERE, "/usr/bin/python3")
    update.wait_for_quiet(street, ROLE, on.config, 60)
    update.begin(street, on)
    watch.watch(street)


def powered_on(street: Street) -> None:
    """Until nothing is on trial any more."""
    street.run(("systemctl", "start", "--no-block", ROLE.unit))
    for _ in range(3):
        if trial.load(street.disk):
            watch.watch(street)


def judged(street: Street, release: Release, story: Story) -> None:
    assert street.wrong == []
    assert trial.load(street.disk) is None
    running = releases.running(street.disk)
    assert running in (OLD, release.name)
    if running == OLD or story.ends is Outcome.DONE:
        assert street.runs == running
    else:
        assert story.ends is Outcome.STAYS
    assert street.kept() == street.told


@pytest.mark.parametrize("name", STORIES)
def test_undisturbed_each_story_ends_as_it_should(name: str, release: Release) -> None:
    story = STORIES[name]
    street = beginning(story, release)
    updated(street, release)
    judged(street, release, story)
    result = (street.disk.read(trial.RESULT) or b"").decode()
    assert f'"outcome": "{story.ends}"' in result
    assert (f'"ok": {str(story.ends is Outcome.DONE).lower()}').encode() in (street.disk.read(TOLD) or b"")
    assert (street.runs == OLD) == (story.ends is Outcome.BACK)
    assert (
        street.disk.read("/etc/systemd/system/lockerd.service")
        == (OLD if story.ends is Outcome.BACK else release.name).encode()
    )


def cut(story: Story, release: Release, at: int) -> Street | None:
    """A life that ended at its operation ``at``; ``None`` where it has not so many."""
    street = beginning(story, release)
    street.disk.cut_at = at
    try:
        updated(street, release)
    except PowerCut:
        return street
    return None


def cut_everywhere(name: str, release: Release, seeds: int) -> int:
    """How many places there are to cut this story; by so many chances, and as a kill that loses nothing."""
    story, at = STORIES[name], 0
    while ended := cut(story, release, at + 1):
        at += 1
        for seed in range(seeds + 1):
            chance = Random(f"{name}/{at}/{seed}") if seed else None
            street = ended.after_cut(ended.disk.after_cut(chance))
            powered_on(street)
            judged(street, release, story)
    return at


def test_cut_anywhere_one_of_the_two_starts_whole(release: Release) -> None:
    points = {name: cut_everywhere(name, release, SEEDS) for name in STORIES if "doctor" not in name}
    print(f"cut at {sum(points.values())} points, {SEEDS + 1} disks each: {points}")
    assert sum(points.values()) >= POINTS_MIN
    assert min(points.values()) >= POINTS_MIN // len(STORIES)


def test_cut_again_while_it_recovers(release: Release) -> None:
    """Twice in a row, at random places."""
    chance, names = Random(7), sorted(STORIES)
    for _ in range(150):
        story = STORIES[chance.choice(names)]
        street = cut(story, release, chance.randrange(1, 60))
        for _again in range(2):
            if street is None:
                break
            disk = street.disk.after_cut(chance)
            disk.cut_at = chance.randrange(1, 20)
            street = street.after_cut(disk)
            try:
                powered_on(street)
            except PowerCut:
                continue
            break
        if street:
            street = street.after_cut(street.disk.after_cut(chance))
            powered_on(street)
            judged(street, release, story)


def test_an_update_that_was_cut_is_asked_for_again_and_done(release: Release) -> None:
    story = STORIES["good"]
    for at in range(1, 40):
        ended = cut(story, release, at)
        assert ended
        street = ended.after_cut(ended.disk.after_cut(Random(at)))
        powered_on(street)
        if releases.running(street.disk) == OLD:
            updated(street, release)
        judged(street, release, story)
        assert street.runs == release.name


def test_without_anybody_watching_the_fourth_start_is_the_old_release(release: Release) -> None:
    """Neither the updater nor the watching service lives: the unit's own line is enough."""
    street = beginning(STORIES["does not come up"], release)
    on = update.make(street, ROLE, release, HERE, "/usr/bin/python3")
    update.begin(street, on)
    watch._switched(street, on)
    starts = []
    for _ in range(4):
        street = street.after_cut(street.disk.after_cut(None))
        street.run(("systemctl", "start", "--no-block", ROLE.unit))
        starts.append(releases.running(street.disk))
    assert starts == [release.name] * 3 + [OLD]
    assert street.runs == OLD
    assert street.trial_wanted


def in_place(disk: ForgetfulDisk, name: str) -> None:
    """The link removed and made anew."""
    disk.unlink(releases.CURRENT)
    disk.link(releases.CURRENT, releases.folder(name))
    disk.sync_folder(releases.BASE)


def two_steps(host: Host, on: Trial) -> None:
    """The journal goes before its copy comes."""
    if on.goes_back is Back.COPY and host.journal(back.copy_of(JOURNAL, on.schema), 0):
        host.disk.rename(JOURNAL, f"{JOURNAL}.tried")
        host.disk.sync_folder("/var/lib/doclocker")
        host.disk.rename(back.copy_of(JOURNAL, on.schema), JOURNAL)
        host.disk.sync_folder("/var/lib/doclocker")
    releases.run(host.disk, on.old)


def always_back(host: Host, on: Trial) -> Back:
    """The copy is put back whatever was journaled since."""
    del host
    return Back.COPY if on.schema else Back.PLAIN


MISTAKES: Final[dict[str, tuple[str, object, str, Callable[..., object]]]] = {
    "the link is made anew in place": ("good", releases, "run", in_place),
    "the copy is put back whatever happened": ("another schema, used, not well", back, "way", always_back),
    "the release is said to be whole before it is": ("good", ForgetfulDisk, "sync_all", lambda _self: None),
    "the journal goes before its copy comes": ("another schema, does not come up", back, "step", two_steps),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_planted_mistakes_are_found(mistake: str, release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    story, where, name, instead = MISTAKES[mistake]
    monkeypatch.setattr(where, name, instead)
    with pytest.raises((AssertionError, KeyError)):
        cut_everywhere(story, release, SEEDS)


def test_nothing_is_switched_under_somebodys_hands(release: Release) -> None:
    street = beginning(STORIES["good"], release)
    on = update.make(street, ROLE, release, HERE, "/usr/bin/python3")
    update.begin(street, on)
    street.door = "open"
    assert watch.watch(street) == 0
    judged(street, release, STORIES["good"])
    assert street.runs == OLD
    assert b"not begun" in (street.disk.read(trial.RESULT) or b"")


def test_two_releases_stay(release: Release) -> None:
    street = beginning(STORIES["good"], release)
    for name in ("0.8.0-cccccccccccc", "0.9.0-bbbbbbbbbbbb"):
        street.disk.settle(f"{releases.folder(name)}/{releases.WHOLE}", b"")
    updated(street, release)
    assert street.disk.names(releases.RELEASES) == [OLD, release.name]


def test_the_next_keys_are_trusted_once_it_has_proved_itself(tmp_path: Path) -> None:
    keys = (made.signer(2).public, made.signer(3).public)
    for story, expected in (("good", True), ("its page is broken", False)):
        new = made.release(tmp_path, made.manifest(keys=keys))
        street = beginning(STORIES[story], new)
        updated(street, new)
        there = street.disk.read("/etc/doclocker/release-keys.json") or b""
        assert (keys[0].encode() in there) is expected
