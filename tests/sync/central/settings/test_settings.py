"""Settings from afar: wished at three levels, told in versions, shown as the locker reports them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from locker.domain import settings
from locker.domain.events import SettingRefused, SettingsChanged, SettingsReported
from locker.domain.policy import SETTINGS, Policy
from locker.domain.settings import Given, Setting
from locker.operations import settings as operations
from sync import seal
from sync.central import directives, histories, lockers
from sync.central import tables as t
from sync.central.access.actor import Role, person
from sync.central.access.tables import AUDIT
from sync.central.desk import Refusal, Refused
from sync.central.settings import said, views, wishes
from sync.central.settings.levels import FLEET, Level, Target
from sync.central.settings.tables import LOCKER_SETTINGS, SETTING_WISH
from sync.central.settings.views import Shown, Standing
from tests.sync.central.conftest import Parts
from tests.sync.central.doors.told import ELSEWHERE, OPERATOR, Told

HALL = Target(Level.LOCKER, "hall-1")
NEAR = person("near", [Role.FLEET_OPERATOR], ["north"])


class Locker(Told):
    """Judges settings by the rules of the domain and tells what comes of it."""

    given = Given()

    @property
    def area(self) -> Target:
        (row,) = [row for row in self.parts.rows(t.LOCKER) if row.locker == "hall-1"]
        return Target(Level.AREA, row.area)

    async def set(self, target: Target, **values: int | str) -> int:
        seen = self.sheet(target).revision
        return await wishes.change(self.office, OPERATOR, target, values, seen)

    def sheet(self, target: Target = HALL) -> views.Sheet:
        return self.parts.store.read_now(lambda c: views.sheet(c, OPERATOR, target))

    def shown(self, name: str) -> Shown:
        return next(each for each in self.sheet().settings if each.name == name)

    def obeys(self) -> list[SettingsChanged]:
        """Take in what was said since, as `locker.operations.settings` does."""
        heard = [says for says in self.hears() if isinstance(says, SettingsChanged)]
        for says in heard:
            if says.version <= self.given.version:
                continue
            taken, refused = settings.judged(self.given, says.settings)
            self.given = replace(self.given, version=says.version, settings=taken)
            facts = [SettingRefused(says.version, one.name, str(one.value), why) for one, why in refused]
            self.goes_on(*facts, operations.report(self.given))
        return heard


@pytest.fixture
def locker(parts: Parts) -> Locker:
    return Locker(parts)


def values_of(says: SettingsChanged) -> dict[str, Any]:
    return {each.name: each.value for each in says.settings}


@pytest.mark.rule("CEN-45")
async def test_the_nearest_wish_counts_and_only_what_differs_is_said(locker: Locker) -> None:
    assert await locker.set(FLEET, hold_days=10, session_idle_s=90) == 1
    assert await locker.set(locker.area, hold_days=14) == 1
    assert await locker.set(HALL, help_line="0571 1234") == 1
    assert await locker.set(FLEET, hold_days=11, session_idle_s=90) == 0, "its area says otherwise"
    heard = locker.obeys()
    assert values_of(heard[-1]) == {"hold_days": 14, "session_idle_s": 90, "help_line": "0571 1234"}
    assert [says.version for says in heard] == sorted({says.version for says in heard})
    shown = locker.shown("hold_days")
    assert (shown.wish, shown.held, shown.standing) == (None, 14, Standing.IN_FORCE)
    assert shown.above is not None
    assert (shown.above.value, shown.above.level) == (14, Level.AREA)
    # Taken back at the area, the fleet's counts again; taken back everywhere, the locker's own.
    await locker.set(locker.area)
    await locker.set(FLEET)
    assert [values_of(says).get("hold_days") for says in locker.obeys()] == [11, None]
    shown = locker.shown("hold_days")
    assert (shown.held, shown.standing) == (Policy().hold_days, Standing.OWN)
    acts = [row for row in locker.parts.rows(AUDIT) if row.action == "change_settings"]
    assert [row.object for row in acts] == [
        "fleet", f"area/{locker.area.place}", "hall-1", "fleet", f"area/{locker.area.place}", "fleet",
    ]  # fmt: skip
    assert json.loads(acts[2].detail) == {"help_line": "0571 1234", "lockers": 1}


@pytest.mark.rule("CEN-46")
async def test_wished_told_and_in_force_are_three_things(locker: Locker) -> None:
    assert locker.shown("hold_days").held is None, "nothing was reported yet"
    locker.goes_on(operations.report(locker.given))
    assert (locker.shown("hold_days").held, locker.shown("hold_days").standing) == (7, Standing.OWN)
    await locker.set(HALL, hold_days=14)
    shown = locker.shown("hold_days")
    assert (shown.held, shown.standing) == (7, Standing.ON_ITS_WAY)
    locker.obeys()
    assert locker.shown("hold_days").standing is Standing.IN_FORCE
    in_force = locker.parts.store.read_now(lambda c: said.in_force(c, "hall-1"))
    assert in_force.hold_days == 14


@pytest.mark.rule("CEN-46")
async def test_what_a_locker_refuses_is_shown_with_its_reason(
    locker: Locker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A hub whose software is newer than the locker's: it thinks more days possible than they are there.
    monkeypatch.setattr(wishes, "unfit", lambda *_: None)
    await locker.set(HALL, hold_days=90, session_idle_s=90)
    monkeypatch.undo()
    locker.obeys()
    shown = locker.shown("hold_days")
    assert (shown.standing, shown.why, shown.held) == (Standing.REFUSED, "out_of_range", 7)
    assert locker.shown("session_idle_s").standing is Standing.IN_FORCE
    assert [row.kind for row in locker.parts.rows(t.ALARM)] == ["setting_refused"]
    (behind,) = locker.parts.store.read_now(lambda c: views.behind(c, OPERATOR))
    assert (behind.refused, behind.waits) == (("hold_days",), False)


@pytest.mark.rule("CEN-45")
async def test_nothing_out_of_range_is_said_and_nobody_overwrites_what_they_did_not_see(
    locker: Locker,
) -> None:
    seen = locker.sheet().revision
    for values, who, target, refusal in (
        ({"hold_days": 61}, OPERATOR, HALL, Refusal.UNFIT),
        ({"hold_days": "7"}, OPERATOR, HALL, Refusal.UNFIT),
        ({"pulse_deadline_ms": 4_000}, OPERATOR, HALL, Refusal.UNFIT),
        ({"left_open_warning_ms": 60_000, "left_open_alarm_ms": 30_000}, OPERATOR, HALL, Refusal.UNFIT),
        ({"hold_days": 9}, ELSEWHERE, HALL, Refusal.UNKNOWN_LOCKER),
        ({"hold_days": 9}, ELSEWHERE, locker.area, Refusal.UNKNOWN_AREA),
        ({"hold_days": 9}, OPERATOR, Target(Level.AREA, "nowhere"), Refusal.UNKNOWN_AREA),
        ({"hold_days": 9}, NEAR, FLEET, Refusal.WHOLE_FLEET),
    ):
        with pytest.raises(Refused) as refused:
            await wishes.change(locker.office, who, target, values, seen)
        assert refused.value.reason is refusal, values
    await wishes.change(locker.office, OPERATOR, HALL, {"hold_days": 9}, seen)
    with pytest.raises(Refused) as refused:
        await wishes.change(locker.office, OPERATOR, HALL, {"hold_days": 3}, seen)
    assert refused.value.reason is Refusal.CHANGED_MEANWHILE
    assert [values_of(says) for says in locker.obeys()] == [{"hold_days": 9}]


@pytest.mark.rule("CEN-47")
async def test_a_restored_card_and_a_new_disk_get_them_again(locker: Locker) -> None:
    await locker.set(HALL, hold_days=14)
    (first,) = locker.obeys()
    store, desk = locker.parts.store, locker.parts.desk
    store.write_now(lambda c: directives.snapshot(c, "hall-1", desk.chance, 1))
    locker.numbered_anew()
    assert locker.obeys() == [first], "under its own version: who has it is told nothing new"
    store.write_now(lambda c: histories.say_to_new_disk(c, "hall-1", "e" * 32, desk.chance, 1))
    locker.numbered_anew()
    locker.given = Given()
    assert first in locker.obeys()
    assert locker.shown("hold_days").standing is Standing.IN_FORCE


@pytest.mark.rule("CEN-47")
async def test_a_locker_that_is_enrolled_is_told_what_counts_for_all(locker: Locker) -> None:
    await locker.set(FLEET, hold_days=14)
    store, desk = locker.parts.store, locker.parts.desk
    public = seal.SigningKey.from_seed(b"n" * 32).public.hex()
    store.write_now(lambda c: lockers.enrol(c, desk, "hall-2", "north", public))
    texts = [row.text for row in locker.parts.rows(t.DIRECTIVE) if row.locker == "hall-2"]
    (says,) = [directives.read_one(text) for text in texts]
    assert isinstance(says, SettingsChanged)
    assert values_of(says) == {"hold_days": 14}


@pytest.mark.rule("CEN-48")
async def test_a_restored_centre_takes_over_what_its_locker_holds_and_never_says_older(
    locker: Locker,
) -> None:
    await locker.set(FLEET, session_idle_s=90)
    locker.obeys()
    later = locker.parts.clock.now_ms + 5_000
    newer = Given(later, (Setting("hold_days", 14), Setting("session_idle_s", 90)))
    locker.goes_on(operations.report(newer))
    (row,) = locker.parts.rows(LOCKER_SETTINGS)
    assert (row.version, row.held_version) == (later, later)
    # The one that the fleet wishes anyway stays the fleet's.
    own = [(each.name, each.value) for each in locker.parts.rows(SETTING_WISH) if each.level == "locker"]
    assert own == [("hold_days", "14")]
    assert [row.kind for row in locker.parts.rows(t.ALARM)] == ["settings_extra"]
    locker.given = newer
    await locker.set(HALL, hold_days=3)
    (says,) = locker.obeys()
    assert says.version > later
    assert values_of(says) == {"hold_days": 3, "session_idle_s": 90}


def test_every_setting_is_reported() -> None:
    report = operations.report(Given())
    assert isinstance(report, SettingsReported)
    assert [each.name for each in report.settings] == list(SETTINGS)


async def test_the_hub_itself_goes_by_what_is_set(locker: Locker) -> None:
    await locker.set(HALL, hold_days=14, reserve_share_percent=40)
    asked = locker.parts.store.read_now
    assert asked(lambda c: said.wished(c, "hall-1")).hold_days == 14
    assert asked(lambda c: said.in_force(c, "hall-1")).hold_days == 7, "its locker has not heard of it"
    locker.obeys()
    assert asked(lambda c: said.in_force(c, "hall-1")).reserve_share_percent == 40
    assert asked(lambda c: said.in_force(c, "nowhere")).hold_days == 7
