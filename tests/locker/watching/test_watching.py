"""What an operator sees of a machine: figures that parse, a page in two languages, tickets that come once."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from locker.domain.events import TicketOpened
from locker.platform import LockerClock, Times, Vitals
from locker.watching import metrics, page, results, server, troubles
from locker.watching.look import Look
from locker.watching.results import Result
from locker.watching.tell import round_of
from tests.locker.operations.world import MemoryWorld
from tests.locker.watching.readings import DAY_MS, NOW_MS, TROUBLED, WELL, but, ended

DOCS: Final = Path(__file__).parents[3] / "docs/operate/watching.md"


def figures(text: bytes) -> Mapping[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())  # type: ignore[no-untyped-call]  # it is so
        for sample in family.samples
    }


def test_each_trouble_is_found_and_no_other() -> None:
    assert troubles.found(WELL) == ()
    assert [each.name for each in troubles.TROUBLES] == list(TROUBLED)
    for name, reading in TROUBLED.items():
        expected = {name, "certificate_ending"} if name == "certificate_ended" else {name}
        assert {each.name for each in troubles.found(reading)} == expected


def test_what_was_never_done_is_not_late() -> None:
    """A cabinet without a second medium has no copies."""
    assert troubles.found(but(results={})) == ()


def test_the_figures_are_openmetrics() -> None:
    found = figures(metrics.exposition(WELL))
    assert found["doclocker_info", ("hall-7", "doclocker 0.1.0")] == 1
    assert found["doclocker_starts_total", ()] == 4
    assert found["doclocker_doors", ("closed",)] == 15
    assert found["doclocker_doors", ("unknown",)] == 0
    assert found["doclocker_board_serving", ("A/1", "waveshare-8")] == 1
    assert found["doclocker_nightly_timestamp_seconds", ("verify",)] == (NOW_MS - DAY_MS // 2) / 1000
    assert found["doclocker_clock", ("ntp",)] == 1
    assert found["doclocker_temperature_celsius", ()] == 51.5
    assert found["doclocker_screen_quiet_seconds", ()] == 5
    assert found["doclocker_screen_renewals", ()] == 2
    assert sum(value for (name, _), value in found.items() if name == "doclocker_trouble") == 0


def test_a_machine_that_tells_no_temperature_has_no_figure_of_it() -> None:
    found = figures(metrics.exposition(but(temperature_c=None, certificate_s=None)))
    assert {("doclocker_temperature_celsius", ()), ("doclocker_certificate_seconds", ())} & set(
        found
    ) == set()


def test_a_machine_without_a_screen_has_no_figure_and_no_line_of_it() -> None:
    reading = but(screen=None)
    assert not [name for name, _ in figures(metrics.exposition(reading)) if "screen" in name]
    assert troubles.found(reading) == ()
    assert page.words("en")["screen"]["lives"] not in page.render(reading, "en")
    assert page.words("en")["screen"]["lives"] in page.render(WELL, "en")


def test_a_trouble_is_a_figure() -> None:
    found = figures(metrics.exposition(TROUBLED["disk_full"]))
    there = [set(labels) for (name, labels), value in found.items() if name == "doclocker_trouble" and value]
    assert there == [{"disk_full", "bad"}]


def names(words: Mapping[str, Any], above: str = "") -> set[str]:
    return {
        each
        for key, value in words.items()
        for each in (names(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}"})
    }


def test_both_languages_have_the_same_words_and_every_trouble() -> None:
    zh, en = (page.words(language) for language in page.LANGUAGES)
    assert names(zh) == names(en)
    assert set(en["trouble"]) == {each.name for each in troubles.TROUBLES}


def test_every_trouble_and_figure_is_in_the_operators_guide() -> None:
    text = DOCS.read_text(encoding="utf-8")
    figures_told = {name for name, _labels in figures(metrics.exposition(WELL))}
    wanted = figures_told | {each.name for each in troubles.TROUBLES}
    assert [name for name in sorted(wanted) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("language", page.LANGUAGES)
def test_the_page_says_what_is_the_matter_and_what_to_do(language: str) -> None:
    words = page.words(language)
    well = page.render(WELL, language)
    assert words["state"]["well"] in well
    assert not any(words["trouble"][name]["told"] in well for name in words["trouble"])
    reading = ended("verify", ok=False, told="entry <12>")
    bad = page.render(reading, language)
    assert words["state"]["bad"] in bad
    assert words["trouble"]["journal_damaged"]["remedy"] in bad
    assert "entry &lt;12&gt;" in bad
    assert f'<html lang="{language}">' in bad


def test_results_last_and_what_is_broken_is_not_there(tmp_path: Path) -> None:
    assert results.read(tmp_path) == {}
    results.keep(tmp_path, "verify", Result(1, ok=True))
    results.keep(tmp_path, "verify", Result(2, ok=False, told="x" * 1_000))
    results.keep(tmp_path, "backup", Result(3, ok=True))
    (tmp_path / "results/backup.json").write_text('{"when_ms": "3", "ok": 1}')
    (tmp_path / "results/check.json").write_text("{")
    assert results.read(tmp_path) == {"verify": Result(2, ok=False, told="x" * 500)}


class Machine:
    """A locker that is looked at, and its disk, heat and time."""

    def __init__(self, folder: Path) -> None:
        self.disk, self.wall_ms, self.mono_ms = 10, NOW_MS, 0
        self.online = True
        clock = LockerClock(Times(lambda: self.mono_ms, lambda: self.wall_ms, lambda: True))
        self.journal = MemoryWorld().journal
        sources = SimpleNamespace(
            locker="hall-7",
            software="doclocker 1",
            state_dir=folder,
            certificate=None,
            platform=SimpleNamespace(clock=clock, vitals=Vitals, disk_used_percent=lambda _folder: self.disk),
            journal=SimpleNamespace(state=self.journal.state, failing=False, boot=1),
            lines=tuple,
            centre=lambda: (self.online, 5),
            anchor=lambda: "kept",
            screen=lambda: None,
        )
        self.look = Look(cast("Any", sources))

    async def round(self, days: float = 0) -> list[str]:
        """Tickets of a round, some time later."""
        self.wall_ms += int(days * DAY_MS)
        before = len(self.journal.entries)
        await round_of(self.look, self.journal)
        new = self.journal.entries[before:]
        return [entry.event.kind for entry in new if isinstance(entry.event, TicketOpened)]


async def test_the_centre_gets_one_ticket_of_a_trouble(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert await machine.round() == []
    assert not (tmp_path / "results").exists()
    machine.disk = 85
    assert await machine.round() == ["machine_disk_filling"]
    machine.disk = 79  # it fluctuates
    assert await machine.round(0.2) == []
    machine.disk = 81
    assert await machine.round(0.2) == []
    assert await machine.round(6) == []
    machine.disk = 95
    assert await machine.round() == ["machine_disk_full"]
    machine.disk = 10
    assert await machine.round(2) == []
    machine.disk = 85
    assert await machine.round() == ["machine_disk_filling"]
    assert await machine.round(7.1) == ["machine_disk_filling"]


async def test_what_the_centre_hears_anyway_is_no_ticket(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.online, machine.mono_ms = False, 4_000_000
    assert [each.name for each in troubles.found(machine.look.take())] == ["centre_away"]
    assert await machine.round() == []


async def test_it_is_served_to_this_machine_alone(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(server.create_app(Machine(tmp_path).look))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as client:
        shown = await client.get("/?lang=en")
        assert "All is well." in shown.text
        assert (await client.get("/?lang=xx")).text.count('lang="zh"') == 1
        assert shown.headers["content-security-policy"].startswith("default-src 'none'")
        measured = await client.get("/metrics")
        assert measured.headers["content-type"] == metrics.FORMAT
        assert figures(measured.content)["doclocker_unsynced_entries", ()] == 5
        assert (await client.get("/api/status")).json() == {"troubles": []}
        assert (await client.get("/", headers={"host": "locker.example"})).status_code == 400
        assert (await client.post("/metrics")).status_code == 405


def test_the_vitals_of_a_raspberry(tmp_path: Path) -> None:
    assert Vitals.read(tmp_path) == Vitals()
    for name, text in (("thermal/thermal_zone0/temp", "48312\n"), ("hwmon/hwmon1/in0_lcrit_alarm", "1\n")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert Vitals.read(tmp_path) == Vitals(48.312, under_voltage=True)


def test_a_result_is_a_line_of_json(tmp_path: Path) -> None:
    results.keep(tmp_path, "check", Result(NOW_MS, ok=True))
    path = tmp_path / "results/check.json"
    assert json.loads(path.read_text()) == {"when_ms": NOW_MS, "ok": True, "told": ""}
    assert path.stat().st_mode & 0o777 == 0o600
