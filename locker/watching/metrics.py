"""The figures as OpenMetrics, for whatever collects them on this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from locker.domain.door import Position
from locker.watching.reading import SERVING, Reading
from locker.watching.troubles import TROUBLES

FORMAT: Final = CONTENT_TYPE_LATEST


def exposition(reading: Reading) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(reading))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]  # it is untyped
    return text


@dataclass(frozen=True, slots=True, eq=False)
class _Collector:
    reading: Reading

    def collect(self) -> Iterator[Metric]:
        """As `prometheus_client` wants a collector."""
        reading = self.reading
        about = {"locker": reading.locker, "software": reading.software}
        yield InfoMetricFamily("doclocker", "Which locker this is", about)
        yield CounterMetricFamily("doclocker_starts", "Starts of the daemon in this journal", reading.starts)
        yield CounterMetricFamily("doclocker_journal_entries", "Entries of the journal", reading.entries)
        for name, what, value in _gauges(reading):
            if value is not None:
                yield GaugeMetricFamily(name, what, float(value))
        yield from _boards(reading)
        doors = GaugeMetricFamily("doclocker_doors", "Doors by what is seen of them", labels=["position"])
        for position in Position:
            doors.add_metric([position.value], reading.doors.get(position, 0))
        yield doors
        clock = GaugeMetricFamily("doclocker_clock", "1 for where the time comes from", labels=["source"])
        clock.add_metric([reading.clock], 1)
        yield clock
        yield from _nightly(reading)
        troubles = GaugeMetricFamily(
            "doclocker_trouble", "1 while somebody should look", labels=["name", "grade"]
        )
        for trouble in TROUBLES:
            troubles.add_metric([trouble.name, trouble.grade.name.lower()], int(trouble.holds(reading)))
        yield troubles


def _gauges(reading: Reading) -> Iterator[tuple[str, str, float | None]]:
    around = reading.surroundings
    yield "doclocker_uptime_seconds", "Since the daemon's start", reading.uptime_s
    yield "doclocker_journal_failing", "1 while nothing can be recorded", reading.journal_failing
    yield "doclocker_unsynced_entries", "Entries that the centre has not acknowledged", reading.unsynced
    yield "doclocker_centre_online", "1 while the centre hears us", reading.centre_online
    yield "doclocker_centre_away_seconds", "Since the centre was last there", reading.away_s
    yield "doclocker_compartments_doubted", "Faulty, blocked or to be checked", reading.doubted
    yield "doclocker_disk_used_percent", "Disk used", reading.disk_used_percent
    yield "doclocker_clock_offset_seconds", "The machine's clock against the locker's", reading.clock_offset_s
    yield "doclocker_certificate_seconds", "Until the certificate ends", reading.certificate_s
    yield "doclocker_temperature_celsius", "Of the processor", reading.temperature_c
    yield "doclocker_under_voltage", "1 if the board's supply is or was too weak", reading.under_voltage
    yield "doclocker_mains_lost", "1 while the mains are away", around.mains_lost
    yield "doclocker_battery_low", "1 while the battery is low", around.battery_low
    yield "doclocker_back_panel_open", "1 while the loop through the panels is open", around.tamper_open
    if reading.screen is not None:
        yield (
            "doclocker_screen_quiet_seconds",
            "Since the page last said that it lives",
            reading.screen.quiet_s,
        )
        yield "doclocker_screen_renewals", "Fresh sessions wished for", reading.screen.renewed
    yield "doclocker_supply_cut", "1 while the locks have no supply for good", bool(around.supply_cut)


def _boards(reading: Reading) -> Iterator[Metric]:
    serving = GaugeMetricFamily("doclocker_board_serving", "1 while it answers", labels=["board", "profile"])
    asked = CounterMetricFamily("doclocker_board_questions", "Questions to it", labels=["board"])
    missed = CounterMetricFamily("doclocker_board_missed", "Of these without an answer", labels=["board"])
    for board in reading.boards:
        serving.add_metric([board.board, board.profile], int(board.standing == SERVING))
        asked.add_metric([board.board], board.asked)
        missed.add_metric([board.board], board.missed)
    yield from (serving, asked, missed)


def _nightly(reading: Reading) -> Iterator[Metric]:
    done = GaugeMetricFamily("doclocker_nightly_ok", "1 if it ended well", labels=["work"])
    when = GaugeMetricFamily("doclocker_nightly_timestamp_seconds", "When it was done last", labels=["work"])
    for name, result in reading.results.items():
        done.add_metric([name], int(result.ok))
        when.add_metric([name], result.when_ms / 1000)
    yield from (done, when)
