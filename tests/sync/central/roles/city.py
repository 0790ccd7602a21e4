"""A small city on one hub, an ordinary afternoon: what the console's pictures show. Nobody in it exists."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import Final

from sqlalchemy import Connection

from locker.domain import events as ev
from locker.domain.access import Role as Works
from locker.domain.acts import ActKind
from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.deposit import Kind, Proof
from locker.domain.door import Position, Presence
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CompartmentNumber,
    DepositId,
    Epoch,
    ItemId,
    LockerId,
    StaffId,
)
from sync.central import cases, lockers, outgoing, staff
from sync.central import store as rows
from sync.central import tables as t
from sync.central.access.actor import HUB, Role, person
from sync.central.acts.sending import Acts, Wish
from sync.central.alarms import Trouble, raise_alarm
from sync.central.complaints import register
from sync.central.complaints.policy import Category
from sync.central.custody import fold, hand_over
from sync.central.custody.parties import Kind as Hands
from sync.central.custody.parties import Party
from sync.central.desk import Desk
from sync.central.doors import bars
from sync.central.fleet.tables import SITE
from sync.central.intake import owed
from sync.central.intake.stages import Paper
from sync.central.store import Store
from sync.central.windows import register as places
from tests.sync.central.access import people
from tests.sync.central.conftest import HandClock, Parts, new_desk
from tests.sync.central.doors.told import Told
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.test_cases import PASSED, READY

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
NOW_MS: Final = int(datetime(2026, 11, 20, 7, 7, tzinfo=UTC).timestamp() * 1000)
RANDOM: Final = Random(11)
DOORS: Final = 24
WINDOW: Final = "3 号窗口"
NAMES: Final = (
    "王芳",
    "李勇",
    "张伟",
    "刘洋",
    "陈静",
    "杨丽",
    "赵敏",
    "黄磊",
    "周涛",
    "吴霞",
    "徐明",
    "孙娜",
)
MATTERS: Final = (
    "营业执照变更",
    "企业开办登记",
    "食品经营许可",
    "道路运输经营许可",
    "施工许可证核发",
    "税务登记",
)
PLACES: Final = {"hall": "政务大厅", "park": "高新区", "river": "滨江", "station": "火车东站"}
OFFICER = person("chen", [Role.CASE_OFFICER], ["*"])
OPERATOR = person("zhao", [Role.FLEET_OPERATOR], ["*"])
LEAD = person("lizhe", [Role.HELPER_LEAD], ["*"])


class Hall(Told):
    """``hall-1``: two cabinets of twelve doors."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.office = people.office_of(parts)
        self._applied = 0
        specs = tuple(_spec(number) for number in range(1, DOORS + 1))
        seen = (ev.DoorRead(spec.number, Position.CLOSED, Presence.ABSENT) for spec in specs)
        born = ev.EpochStarted(Epoch(parts.locker.epoch), LockerId("hall-1"))
        self.goes_on(born, ev.CompartmentsConfigured(specs), *seen)
        self.is_there()

    def goes_on(self, *facts: ev.Event) -> None:
        first = self.parts.locker.head + 1
        self.parts.locker.add(*facts, wall_ms=self.parts.clock.now_ms)
        self.parts.ingest(first)


def _spec(number: int) -> CompartmentSpec:
    place = (number - 1) % 12
    size = (Size.S, Size.M, Size.L)[place // 4]
    cabinet = "AB"[(number - 1) // 12]
    return CompartmentSpec(
        CompartmentNumber(number), cabinet, size, Reach.MIDDLE, place // 4, place % 4, item_sensor=True
    )


@dataclass(frozen=True, slots=True)
class City:
    parts: Parts
    paths: dict[str, str]
    """Where what is to be shown is found, by name."""


async def lived(path: Path) -> City:
    clock, locker = HandClock(NOW_MS - 3 * DAY_MS), FakeLocker()
    desk, store = new_desk(clock), Store.open(path)
    centre = store.write_now(lambda c: lockers.enrol(c, desk, locker.locker, "north", locker.public))
    parts = Parts(store, desk, clock, locker, centre)
    hall = Hall(parts)
    _staff(hall)
    rights = _rights(hall)
    items = _items(hall, list(rights))
    _papers(hall, rights, items)
    paths = {"case": "/cases/GS-2026-000102", "label": f"/items/{items['GS-2026-000108']}/label"}
    clock.now_ms = NOW_MS - HOUR_MS
    await bars.bar(hall.office, OPERATOR, "hall-1", 11, "柜前积水")
    hall.hears()
    paths["supplement"] = f"/owed/{_supplement(parts)}"
    paths["slip"] = f"/custody/slips/{_slip(parts)}"
    paths["complaint"] = f"/complaints/{_complaint(parts)}"
    clock.now_ms = NOW_MS - 3 * 60_000
    await Acts(store, desk, lambda *_: None).request(
        Wish("hall-1", ActKind.OPEN, 6, "热线 4712：领取人打不开"), OPERATOR
    )
    clock.now_ms = NOW_MS
    store.write_now(_others)
    _known_to_be_there(hall)
    return City(parts, paths)


def _staff(hall: Hall) -> None:
    for number, name in (("h-1", "李娜"), ("h-2", "马超")):
        who = staff.Enrolment(number, name, frozenset({Works.HELPER}), "135790", ("hall-1",))
        hall.parts.store.write_now(partial(staff.enrol, desk=hall.parts.desk, person=who))
    for name, role in (("chen", Role.CASE_OFFICER), ("li", Role.APPROVER), ("lizhe", Role.HELPER_LEAD)):
        people.add(hall.parts, name, [role])
    hall.hears()


def _rights(hall: Hall) -> dict[str, str]:
    parts, found = hall.parts, {}
    for n in range(1, 13):
        applicant = cases.Person(NAMES[n - 1], "13812345678")
        passed = cases.PreReview(
            f"GS-2026-{100 + n:06}", MATTERS[n % 6], PASSED.papers, (), Size.S, applicant, "hall-1", 240
        )
        write = partial(cases.authorise, desk=parts.desk, passed=passed, actor="key:gov-cases")
        found[passed.case] = parts.store.write_now(write)
    hall.hears()
    return found


def _items(hall: Hall, numbers: list[str]) -> dict[str, str]:
    parts, found = hall.parts, {}
    for n in (6, 7, 8):
        to = cases.Person(NAMES[n - 1], "13812345678")
        ready = outgoing.Outgoing("", numbers[n - 1], "营业执照", Size.S, to, "hall-1", READY.second_factor)
        found[numbers[n - 1]] = parts.store.write_now(partial(_announced, desk=parts.desk, ready=ready))
    hall.hears()
    return found


def _announced(connection: Connection, desk: Desk, ready: outgoing.Outgoing) -> str:
    return outgoing.announce(connection, desk, ready, "person:wang")


def _papers(hall: Hall, rights: dict[str, str], items: dict[str, str]) -> None:
    """Five bags come in, two are fetched; two results are loaded, one of them is overdue."""
    for door, (case, right) in enumerate(list(rights.items())[:5], 1):
        hall.parts.clock.now_ms += 9 * HOUR_MS
        stay, number = DepositId(f"d{door}"), CompartmentNumber(door)
        right_ = AuthorisationId(right)
        hall.goes_on(
            ev.CompartmentReserved(stay, number, Kind.SUBMISSION, CaseNumber(case), right_, ItemId("")),
            ev.SubmissionDeposited(stay, number, Presence.PRESENT, 2),
        )
    taken = [ev.SubmissionTaken(DepositId(f"d{n}"), StaffId("h-1"), Proof.SENSED, "complete") for n in (1, 2)]
    hall.goes_on(*taken)
    for door, case in ((13, "GS-2026-000106"), (14, "GS-2026-000107")):
        stay, item = DepositId(f"o{door}"), ItemId(items[case])
        number, none = CompartmentNumber(door), AuthorisationId("")
        hall.goes_on(
            ev.CompartmentReserved(stay, number, Kind.OUTGOING, CaseNumber(case), none, item),
            ev.ItemLoaded(stay, item, StaffId("h-1"), Proof.SENSED, announced=True),
        )
    hall.goes_on(ev.ItemOverdue(DepositId("o13")), ev.DoorForced(CompartmentNumber(20)))


def _supplement(parts: Parts) -> str:
    papers = (
        Paper("经营场所平面图", NOW_MS + 5 * DAY_MS, "缺尺寸标注"),
        Paper("健康证明", NOW_MS + 5 * DAY_MS, "过期"),
    )
    ask = owed.Ask("GS-2026-000102", papers, "逾期未补正的，退回本次申请，申请人可以重新提出。")
    return parts.store.write_now(lambda c: owed.request(c, parts.desk, OFFICER, ask))


def _slip(parts: Parts) -> str:
    while parts.store.write_now(lambda c: fold.fold(c, parts.clock.now_ms)):
        pass
    add = partial(places.add, desk=parts.desk, actor=HUB, kind=Hands.WINDOW, area="north", name=WINDOW)
    parts.store.write_now(add)
    things = tuple(f"papers/hall-1/d{n}" for n in (1, 2))
    wish = hand_over.Proposal(Party(Hands.HELPER, "h-1"), Party(Hands.WINDOW, WINDOW), things)
    return parts.store.write_now(lambda c: hand_over.propose(c, parts.desk, LEAD, wish))


def _complaint(parts: Parts) -> str:
    text = "扫码后显示开门，但 7 号门没有弹开，试了三次。"
    told = register.Complaint(Category.DOOR, text, "13812345678", "张伟", "hall-1", case="GS-2026-000103")
    return parts.store.write_now(
        lambda c: register.register(c, parts.desk, told, "person:wang", register.Origin.HALL)
    )


def _others(connection: Connection) -> None:
    """Eleven more lockers, one silent, two nearly full, with an alarm."""
    for n, name in enumerate(f"{place}-{k}" for place in PLACES for k in (1, 2, 3)):
        place = {"name": f"{PLACES[name.split('-')[0]]}{name[-1]}号柜", "latitude": 30.2 + n / 90}
        connection.execute(SITE.insert().values(locker=name, longitude=120.1 + n / 70, **place))
        if name == "hall-1":
            continue
        state = json.dumps({"tq": "ntp", "disk_used_percent": 18 + n, "silent_boards": []})
        heard_ms = NOW_MS - (2 * HOUR_MS if name == "river-2" else n * 700)
        locker = {"area": "north" if n < 6 else "east", "public": f"{n:064x}", "software": "1.4.2"}  # half
        told = {"online": name != "river-2", "last_heard_ms": heard_ms, "state_text": state, "epoch": "e"}
        connection.execute(t.LOCKER.insert().values(locker=name, **locker, **told))
        for door in range(1, DOORS + 1):
            full = "d" if RANDOM.random() < (0.97 if name in {"park-2", "station-1"} else n / 14) else ""
            connection.execute(
                t.COMPARTMENT.insert().values(locker=name, number=door, size="SML"[door % 3], deposit=full)
            )
    raise_alarm(connection, "park-3", Trouble("door_forced", "e/1", "door 7"), NOW_MS - 11 * 60_000)
    raise_alarm(connection, "station-2", Trouble("mains_lost", "e/2", ""), NOW_MS - 50 * 60_000)


def _known_to_be_there(hall: Hall) -> None:
    snapshot = {"tq": "ntp", "disk_used_percent": 41, "silent_boards": []}
    there = {"online": True, "last_heard_ms": NOW_MS, "state_text": json.dumps(snapshot), "software": "1.4.2"}
    locker = {"head": hall.parts.locker.head, "epoch": hall.parts.locker.epoch, **there}
    hall.parts.store.write_now(lambda c: rows.change(c, t.LOCKER, {"locker": "hall-1"}, locker))
