"""What a run of the fleet ends with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hw_sim.fleet.fleet import Course
from hw_sim.fleet.ledgers import Comparison
from hw_sim.fleet.tally import Tally


@dataclass(frozen=True, slots=True)
class HubUse:
    """What the hub took of the machine, in the run; 0 where it is not ours to look at."""

    memory_mb: float = 0.0
    """At most."""
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    lockers: int
    course: Course
    tally: Tally
    ledgers: Comparison | None
    """None: the hub could not be asked."""
    hub_dropped: int
    """Frames the hub did not take, of whomever."""
    hub: HubUse
    own_cpu_s: float
    """What the fleet itself took of the machine while it ran."""
    made_s: float
    """For the past of all lockers, before anything was sent."""

    @property
    def ok(self) -> bool:
        equal = self.ledgers is not None and self.ledgers.equal and not self.ledgers.quarantined
        return self.course.settled and not self.course.stopped and equal

    @property
    def entries_per_s(self) -> float:
        """Of the backlog, from the first acknowledgement to the last."""
        took_s = self.course.drained_s - self.course.first_s
        return self.course.backlog / took_s if took_s > 0 else 0.0

    def as_json(self) -> dict[str, Any]:
        course, tally = self.course, self.tally
        return {
            "ok": self.ok,
            "lockers": self.lockers,
            "backlog": course.backlog,
            "entries": course.committed,
            "seconds": round(course.ended_s, 1),
            "settled": course.settled,
            "stopped": course.stopped,
            "connected_percent": round(100 * course.connected_share, 1),
            "connections": tally.connections,
            "losses": dict(tally.losses),
            "births": tally.births,
            "hello_s": _shares(tally.hellos_s),
            "waits": tally.waits,
            "drained_s": round(course.drained_s, 1),
            "entries_per_s": round(self.entries_per_s),
            "acknowledged_s": _shares(tally.acknowledged_s),
            "batches": tally.batches,
            "resent": tally.resent,
            "gaps": tally.gaps,
            "unheard": tally.unheard,
            "applied": tally.applied,
            "dropped": dict(tally.dropped),
            "hub_dropped": self.hub_dropped,
            "hub_memory_mb": round(self.hub.memory_mb),
            "hub_cpu_s": round(self.hub.cpu_s, 1),
            "own_cpu_s": round(self.own_cpu_s, 1),
            "quarantined": self.ledgers.quarantined if self.ledgers else None,
            "alarms": self.ledgers.alarms if self.ledgers else None,
            "behind": self.ledgers.behind if self.ledgers else None,
            "lost": self.ledgers.lost if self.ledgers else None,
            "doubled": self.ledgers.doubled if self.ledgers else None,
            "changed": self.ledgers.changed if self.ledgers else None,
            "differences": self.ledgers.first if self.ledgers else [],
        }

    def table(self) -> str:
        course, tally, found = self.course, self.tally, self.ledgers
        losses = ", ".join(f"{count:,} {reason}" for reason, count in sorted(tally.losses.items()))
        up, down = f"{tally.resent:,} of {tally.entries:,}", f"{sum(tally.dropped.values()):,}"
        asked = f"answered in {_told(tally.hellos_s)}; told to wait {tally.waits:,}"
        rows = [
            ("lockers", f"{self.lockers:,}", f"{course.ended_s:.1f} s; their past took {self.made_s:.1f} s"),
            ("entries", f"{course.committed:,}", f"{course.backlog:,} before the first connection"),
            ("connected", f"{100 * course.connected_share:.1f} %", "of the time of all lockers"),
            ("connections", f"{tally.connections:,}", f"lost: {losses or 'none'}"),
            ("births", f"{tally.births:,}", asked),
            ("backlog", f"{self.entries_per_s:,.0f}/s", f"all at the centre after {course.drained_s:.1f} s"),
            ("commit → acknowledged", _told(tally.acknowledged_s), f"of {len(tally.acknowledged_s):,}"),
            ("batches", f"{tally.batches:,}", f"{up} entries went up again"),
            ("gaps asked", f"{tally.gaps:,}", f"nobody heard {tally.unheard:,} batches"),
            ("from the centre", f"{tally.applied:,}", f"state entries; dropped here: {down}"),
            ("hub refusals", f"{self.hub_dropped:,}", "frames dropped there" + _refused(found)),
        ]
        if self.hub.cpu_s:
            rows.append(("hub memory", f"{self.hub.memory_mb:.0f} MB", "at most"))
            rows.append(("hub CPU", f"{self.hub.cpu_s:.1f} s", f"the fleet itself {self.own_cpu_s:.1f} s"))
        rows += _verdict(course, found)
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        return "\n".join(f"  {a:<{widths[0]}}  {b:>{widths[1]}}  {c}".rstrip() for a, b, c in rows)


def _verdict(course: Course, found: Comparison | None) -> list[tuple[str, str, str]]:
    strange = f"{course.stopped:,} found another history" if course.stopped else ""
    rows = [("all acknowledged", _yes(course.settled), strange)]
    if found is None:
        return [*rows, ("ledgers equal", "?", "the hub was not asked: no --hub")]
    differs = f"{found.lost:,} lost, {found.doubled:,} doubled, {found.changed:,} changed"
    differs += f"; {found.rows:,} equal"
    rows.append(("ledgers equal", _yes(found.equal), differs))
    return rows + [("", "", text) for text in found.first]


def _refused(found: Comparison | None) -> str:
    return f"; {found.quarantined:,} entries quarantined, {found.alarms:,} alarms" if found else ""


def _yes(holds: bool) -> str:  # a word for it
    return "yes" if holds else "NO"


def share(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed; 0 of none."""
    if not values:
        return 0.0
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)]


def _shares(values: Sequence[float]) -> dict[str, float]:
    return {f"p{percent}": round(share(values, percent), 3) for percent in (50, 95, 99)}


def _told(values: Sequence[float]) -> str:
    if not values:
        return "–"
    return " / ".join(f"{share(values, percent):.2f}" for percent in (50, 95, 99)) + " s"
