"""The anchor follows the journal, never runs ahead, and never stands in anybody's way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from locker.anchor.keeper import REST_MS, Keeper, Ways
from locker.anchor.place import Place
from locker.anchor.record import NOWHERE, Mark, Standing
from locker.domain import events as ev
from locker.domain.errors import Reason, Refusal
from locker.domain.history import Break
from locker.operations.new_epoch import begin
from locker.operations.open_door import no_door_opens
from locker.operations.ports import Decided
from tests.locker.operations.world import MemoryWorld


@dataclass
class Site:
    m: MemoryWorld
    place: Place
    executor: ThreadPoolExecutor

    def keeper(self) -> Keeper:
        m = self.m

        def judge(mark: Mark) -> Break | None:
            entries = m.journal.past.get(mark.epoch, m.journal.entries)
            return None if mark.seq <= len(entries) else Break.LOST_ROWS

        async def begun(why: Break) -> bool:
            return await begin(m.world, m.journal, why, m.journal.state.epoch)

        return Keeper(self.place, m.journal, m.clock, self.executor, Ways(judge, begun))

    async def happens(self) -> Mark:
        fact = ev.GuessesCounted("unknown_code", 1)
        await self.m.journal.commit("keypad", lambda _state: Decided(None, (fact,)))
        return self.now()

    def now(self) -> Mark:
        journal = self.m.journal
        return Mark(journal.state.epoch, journal.state.seq, journal.head)

    def there(self) -> Mark | None:
        return self.place.look().mark


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    path = tmp_path / "eeprom"
    path.write_bytes(b"\xff" * 4096)
    with ThreadPoolExecutor(1) as executor:
        site = Site(await MemoryWorld.start(), Place(path, "demo-1"), executor)
        site.place.put(site.place.look(), site.now())
        yield site


async def follows(keeper: Keeper, mark: Callable[[], Mark]) -> None:
    """Let it go on until it has written ``mark``; no time passes."""
    loop = asyncio.get_running_loop()
    for _ in range(1_000):
        if keeper.told().get("seq") == mark().seq and keeper.told()["epoch"] == mark().epoch:
            return
        await loop.run_in_executor(keeper._executor, bool)
    raise AssertionError(keeper.told())


async def test_it_follows_what_is_durable_and_rests_between(site: Site) -> None:
    keeper = site.keeper()
    await keeper.check()
    said = await site.happens()
    assert site.there() != said, "it lags; nobody waits for it"
    began_ms = site.m.clock.now_ms
    running = asyncio.ensure_future(keeper.run())
    await follows(keeper, lambda: said)
    second = await site.happens()
    await follows(keeper, lambda: second)
    assert site.there() == second
    assert site.m.clock.now_ms - began_ms >= REST_MS
    assert keeper.told() == {"standing": "kept", "why": "", "epoch": second.epoch, "seq": second.seq}
    running.cancel()
    last = await site.happens()
    await keeper.close()
    assert site.there() == last


async def test_a_journal_behind_it_begins_anew_and_opens_nothing(site: Site) -> None:
    site.place.put(site.place.look(), Mark(site.now().epoch, site.now().seq + 1, b"\x01" * 32))
    keeper = site.keeper()
    before = site.now().epoch
    await keeper.check()
    state = site.m.journal.state
    assert (state.history.broken, state.history.awaited) == (Break.LOST_ROWS, True)
    assert state.epoch != before
    await keeper.close()
    assert site.there() == site.now()
    again = site.keeper()
    await again.check()
    assert site.m.journal.state.epoch == state.epoch, "once is enough"


async def test_what_nobody_has_begun_is_told_and_left_alone(site: Site) -> None:
    for content, standing in ((b"\xff" * 4096, "blank"), (b"clock settings.." * 256, "foreign")):
        site.place.path.write_bytes(content)
        keeper = site.keeper()
        await keeper.check()
        await site.happens()
        await keeper.close()
        assert keeper.told()["standing"] == standing
        assert "lockerctl anchor adopt" in keeper.told()["why"]
        assert site.place.path.read_bytes() == content
        assert not site.m.journal.state.history.awaited


async def test_a_place_that_comes_late_is_compared_before_it_is_written(site: Site) -> None:
    site.place.put(site.place.look(), Mark(site.now().epoch, site.now().seq + 9, b"\x01" * 32))
    ahead = site.place.path.read_bytes()
    site.place.path.unlink()
    keeper = site.keeper()
    await keeper.check()
    assert keeper.standing is Standing.UNREADABLE
    assert not site.m.journal.state.history.awaited, "people get to their papers"
    await keeper.close()
    assert not site.place.path.exists()
    site.place.path.write_bytes(ahead)
    running = asyncio.ensure_future(keeper.run())
    await follows(keeper, site.now)
    running.cancel()
    assert no_door_opens(site.m.journal.state) == Refusal(Reason.HISTORY_AWAITED)
    assert site.there() == site.now()


async def test_one_that_keeps_nothing_is_told_and_tried_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = site.keeper()
    await keeper.check()
    said = await site.happens()
    with monkeypatch.context() as protected:
        protected.setattr("os.pwrite", lambda _handle, text, _offset: len(text))
        await keeper.close()
    assert (keeper.standing, site.there() == said) == (Standing.UNWRITABLE, False)
    await keeper.close()
    assert (keeper.standing, site.there() == said) == (Standing.KEPT, True)


async def test_none_is_configured(site: Site) -> None:
    keeper = Keeper(None, site.m.journal, site.m.clock, site.executor, site.keeper()._ways)
    await keeper.check()
    await keeper.run()
    await keeper.close()
    assert keeper.told() == {"standing": "none", "why": ""}
    assert site.there() != NOWHERE
