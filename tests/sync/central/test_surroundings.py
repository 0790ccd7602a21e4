"""What happened around a locker's doors, at the hub: kept as told, and an alarm where somebody must go."""

from locker.domain.events import (
    BatteryGood,
    BatteryLow,
    EpochStarted,
    LockSupplyCut,
    MainsBack,
    MainsLost,
    ServiceKeyTurned,
    TamperClosed,
    TamperOpened,
)
from locker.domain.ids import Epoch, LockerId
from sync.central import tables as t
from tests.sync.central.conftest import Parts

BIRTH = EpochStarted(Epoch("e"), LockerId("hall-1"))


def test_trouble_around_the_doors_is_an_alarm(parts: Parts) -> None:
    parts.locker.add(BIRTH, TamperOpened("open"), TamperClosed(), TamperOpened("unreadable"))
    parts.locker.add(MainsLost(), BatteryLow(), MainsBack(), MainsLost(), LockSupplyCut("relay stuck"))
    parts.locker.add(ServiceKeyTurned(on=True), BatteryGood(), MainsBack())
    assert not parts.ingest().refused
    assert len(parts.rows(t.LEDGER)) == 12
    assert sorted(
        tuple(row._mapping[k] for k in ("kind", "detail", "count")) for row in parts.rows(t.ALARM)
    ) == [
        ("battery_low", "", 1),
        ("mains_lost", "", 2),
        ("supply_cut", "relay stuck", 1),
        ("tamper", "open", 1),
        ("tamper", "unreadable", 1),
    ]
