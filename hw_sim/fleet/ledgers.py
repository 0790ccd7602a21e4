"""Whether the hub's ledgers are the lockers' journals: row by row, hash by hash."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from hw_sim.fleet.frames import personal_digest
from hw_sim.fleet.journal import Journal, Row

PAGE: Final = 1000
LOCKERS_A_PAGE: Final = 500
AT_ONCE: Final = 4
PATIENCE_S: Final = 60.0
TOLD_MAX: Final = 5


@dataclass(slots=True)
class Comparison:
    rows: int = 0
    """That are equal in number, text, personal digest and hash."""
    lost: int = 0
    doubled: int = 0
    """Rows at the hub that no journal has, or that stand there twice."""
    changed: int = 0
    quarantined: int = 0
    """Equal, but the hub could not make anything of them."""
    alarms: int = 0
    behind: int = 0
    """Lockers that have not applied what the hub has for them."""
    first: list[str] = field(default_factory=list)
    """The first few differences."""

    @property
    def equal(self) -> bool:
        return self.lost == self.doubled == self.changed == 0

    def differs(self, where: str) -> None:
        if len(self.first) < TOLD_MAX:
            self.first.append(where)


class Hub:
    """The hub's API with a key of it."""

    def __init__(self, url: str, key: str) -> None:
        self._health = f"{url.rstrip('/')}/healthz"
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/api/v1", headers=headers, trust_env=False, timeout=PATIENCE_S
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def enrol_helper(self, staff: str, lockers: Sequence[str]) -> None:
        """Goes down to each of these lockers, with a name that is a person's."""
        asked = {
            "staff": staff,
            "name": "赵敏",
            "roles": ["helper"],
            "pin": "246810",
            "lockers": list(lockers),
        }
        (await self._http.post("/staff", json=asked)).raise_for_status()

    async def compare(self, journals: Sequence[tuple[str, Journal]]) -> Comparison:
        """Raises httpx.HTTPError."""
        found = Comparison()
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(name: str, journal: Journal) -> None:
            async with turn:
                compare_rows(
                    name, journal.rows(0, journal.head), await self._ledger(name, journal.epoch), found
                )

        await asyncio.gather(*(one(name, journal) for name, journal in journals))
        ours = {name for name, _ in journals}
        async for locker in self._lockers():
            if locker["locker"] in ours:
                found.alarms += locker["alarms"]
                found.behind += locker["untold"] > 0
        return found

    async def _lockers(self) -> AsyncIterator[dict[str, Any]]:
        cursor = ""
        while True:
            page = await self._get("/lockers", {"cursor": cursor, "limit": LOCKERS_A_PAGE})
            for row in page["rows"]:
                yield row
            cursor = page["next"]
            if not cursor:
                return

    async def dropped(self) -> int:
        """Frames the hub did not take."""
        answer = await self._http.get(self._health)
        return sum(answer.raise_for_status().json()["dropped"].values())

    async def _ledger(self, locker: str, epoch: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            asked = {"epoch": epoch, "after": rows[-1]["seq"] if rows else 0, "limit": PAGE}
            page = (await self._get(f"/lockers/{locker}/ledger", asked))["rows"]
            rows += page
            if len(page) < PAGE:
                return rows

    async def _get(self, path: str, asked: dict[str, Any]) -> Any:
        answer = await self._http.get(path, params=asked)
        answer.raise_for_status()
        return answer.json()


def compare_rows(name: str, ours: Sequence[Row], theirs: Sequence[dict[str, Any]], found: Comparison) -> None:
    by_seq: dict[int, dict[str, Any]] = {}
    for row in theirs:
        if row["seq"] in by_seq or not 0 < row["seq"] <= len(ours):
            found.doubled += 1
            found.differs(f"{name}: entry {row['seq']} is too many")
        by_seq[row["seq"]] = row
    for row_ in ours:
        stored = by_seq.get(row_.seq)
        if stored is None:
            found.lost += 1
            found.differs(f"{name}: entry {row_.seq} is missing")
        elif _is(row_, stored):
            found.rows += 1
            found.quarantined += bool(stored["problem"])
            if stored["problem"]:
                found.differs(f"{name}: entry {row_.seq}: {stored['problem']}")
        else:
            found.changed += 1
            found.differs(f"{name}: entry {row_.seq} is another")


def _is(ours: Row, stored: dict[str, Any]) -> bool:
    digest = personal_digest(ours.salt, ours.personal).hex()
    return (ours.public, digest, ours.hash.hex()) == (
        stored["public"],
        stored["personal_digest"],
        stored["hash"],
    )
