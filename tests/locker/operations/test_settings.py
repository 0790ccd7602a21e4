"""What the centre sets of a locker: taken within hard ranges, refused beyond, never older over newer."""

from dataclasses import fields

import pytest

from locker.domain.directives import Directive
from locker.domain.encoding import build, public_data
from locker.domain.events import (
    DirectiveApplied,
    PolicyChanged,
    SettingRefused,
    SettingsChanged,
    SettingsReported,
)
from locker.domain.history import Break
from locker.domain.ids import Epoch, Seq
from locker.domain.policy import SETTINGS, Policy, Unfit
from locker.domain.settings import SETTINGS_MAX, Setting
from locker.operations import directives, new_epoch
from locker.operations.recover import recover
from tests.locker.operations.world import MemoryWorld

EPOCH = Epoch("e-1")


class Centre:
    """Says one state entry after the other."""

    def __init__(self, m: MemoryWorld) -> None:
        self.m, self.seq = m, 0

    async def sets(self, version: int, **settings: int | str) -> str:
        """The outcome, as the journal has it."""
        return await self.says(SettingsChanged(version, tuple(Setting(*each) for each in settings.items())))

    async def says(self, says: SettingsChanged) -> str:
        self.seq += 1
        directive = Directive(Seq(self.seq), "", says)
        assert await directives.apply(self.m.world, directive, EPOCH, f"h{self.seq}")
        return str(self.m.journal.events(DirectiveApplied)[-1].outcome)


async def starts_again(m: MemoryWorld, **configured: int | str) -> None:
    await recover(m.world, "test", m.journal.boot, m.cabinet, configured)


@pytest.mark.rule("LKR-90")
async def test_a_version_is_taken_whole_and_reported() -> None:
    m = await MemoryWorld.start()
    centre = Centre(m)
    assert await centre.sets(3, hold_days=14, help_line="0571 8888 6666") == "applied"
    policy = m.journal.state.policy
    assert (policy.hold_days, policy.help_line) == (14, "0571 8888 6666")
    report = m.journal.events(SettingsReported)[-1]
    assert (report.version, set(report.given)) == (3, {"hold_days", "help_line"})
    assert {s.name: s.value for s in report.settings} == {name: getattr(policy, name) for name in SETTINGS}
    # What the next one does not name is as the locker itself says.
    await centre.sets(4, session_idle_s=90)
    policy = m.journal.state.policy
    assert (policy.session_idle_s, policy.hold_days, policy.help_line) == (90, Policy().hold_days, "")
    assert m.journal.events(SettingsReported)[-1].given == ("session_idle_s",)


@pytest.mark.rule("LKR-91")
async def test_what_does_not_fit_is_refused_one_by_one_and_changes_nothing() -> None:
    m = await MemoryWorld.start()
    centre = Centre(m)
    await centre.sets(1, hold_days=14)
    outcome = await centre.sets(2, hold_days=61, session_idle_s=45, help_line="x" * 61, night_from_h="22")
    assert outcome == "applied"
    refused = {fact.name: (fact.value, fact.why) for fact in m.journal.events(SettingRefused)}
    assert refused == {
        "hold_days": ("61", Unfit.OUT_OF_RANGE),
        "help_line": ("x" * 60, Unfit.OUT_OF_RANGE),
        "night_from_h": ("22", Unfit.NOT_OF_TYPE),
    }
    policy = m.journal.state.policy
    # Of what was refused the value before stays: the centre's own of the version before, or the locker's.
    assert (policy.hold_days, policy.session_idle_s, policy.help_line) == (14, 45, "")
    assert set(m.journal.events(SettingsReported)[-1].given) == {"hold_days", "session_idle_s"}


@pytest.mark.rule("LKR-91")
async def test_one_entry_cannot_fill_the_journal_with_refusals() -> None:
    m = await MemoryWorld.start()
    many = tuple(Setting(f"no-such-{n}", n) for n in range(SETTINGS_MAX + 1))
    assert (await Centre(m).says(SettingsChanged(1, many))).startswith("refused: ")
    assert m.journal.events(SettingRefused) == []
    assert m.journal.state.given.version == 0


@pytest.mark.rule("LKR-92")
async def test_what_is_local_only_is_never_taken_from_the_centre() -> None:
    m = await MemoryWorld.start()
    local = {f.name: getattr(Policy(), f.name) for f in fields(Policy) if f.name not in SETTINGS}
    # Even the very value that is in force.
    await Centre(m).sets(1, **local, hold_days=9)
    refused = m.journal.events(SettingRefused)
    assert {fact.name for fact in refused} == set(local)
    assert {fact.why for fact in refused} == {Unfit.LOCAL_ONLY}
    assert m.journal.events(SettingsReported)[-1].given == ("hold_days",)


@pytest.mark.rule("LKR-93")
async def test_an_older_version_never_takes_the_place_of_a_newer() -> None:
    m = await MemoryWorld.start()
    centre = Centre(m)
    await centre.sets(5, hold_days=14)
    before = len(m.journal.events(SettingsReported))
    assert await centre.sets(5, hold_days=14) == "repeated"
    assert await centre.sets(4, hold_days=3) == "void: version 5 is in force"
    assert m.journal.state.policy.hold_days == 14
    assert len(m.journal.events(SettingsReported)) == before
    assert await centre.sets(6, hold_days=3) == "applied"
    assert m.journal.state.policy.hold_days == 3


@pytest.mark.rule("LKR-94")
async def test_it_stands_over_the_locker_s_own_word_across_restarts() -> None:
    m = await MemoryWorld.start()
    await starts_again(m, hold_days=9, session_idle_s=90)
    await Centre(m).sets(1, hold_days=14)
    reports = len(m.journal.events(SettingsReported))
    await starts_again(m, hold_days=9, session_idle_s=90)
    policy = m.journal.state.policy
    assert (policy.hold_days, policy.session_idle_s) == (14, 90)
    assert len(m.journal.events(SettingsReported)) == reports  # nothing is different
    # The file's own change is told at the start; what it no longer says has the default again.
    await starts_again(m, hold_days=5)
    assert m.journal.events(PolicyChanged)[-2:] == [
        PolicyChanged("session_idle_s", Policy().session_idle_s),
        PolicyChanged("hold_days", 5),
    ]
    report = m.journal.events(SettingsReported)[-1]
    assert {s.name: s.value for s in report.settings}["session_idle_s"] == Policy().session_idle_s
    assert m.journal.state.policy.hold_days == 14


@pytest.mark.rule("LKR-94")
async def test_a_new_epoch_keeps_what_the_centre_set_and_its_version() -> None:
    m = await MemoryWorld.start()
    centre = Centre(m)
    await centre.sets(7, hold_days=14)
    await new_epoch.begin(m.world, m.journal, Break.LOST_ROWS, m.journal.state.epoch)
    assert (m.journal.state.given.version, m.journal.state.policy.hold_days) == (7, 14)
    assert await centre.sets(6, hold_days=3) == "void: version 7 is in force"


def test_a_setting_is_a_number_or_a_text_and_nothing_else() -> None:
    says = SettingsChanged(1, (Setting("hold_days", 9), Setting("help_line", "12345")))
    assert build(SettingsChanged, public_data(says)) == says
    for bad in (True, 9.0, None, [9]):
        with pytest.raises(ValueError, match="int or str was expected"):
            build(SettingsChanged, {"version": 1, "settings": [{"name": "hold_days", "value": bad}]})
