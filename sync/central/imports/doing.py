"""Files looked through and taken.

All or nothing before the first line is taken: a file with one wrong line is not begun. Then line by line, a
few a transaction: two thousand in one would keep every locker waiting. What is refused on the way (no free
code left, an item that has come meanwhile) is told with its line, and the others go on; the same file again
takes only what is lacking.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from sync.central import cases, outgoing
from sync.central import store as rows
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.gate import NotAllowed
from sync.central.access.matrix import Action, may
from sync.central.api_models import OutgoingIn, PreReviewIn
from sync.central.desk import Refusal, Refused
from sync.central.imports import reading
from sync.central.imports.reading import PROBLEMS_MAX, Kind, Line, Problem, Why
from sync.central.imports.tables import TAKEN_LINE, UPLOAD
from sync.central.office import Office
from sync.central.tables import LOCKER, OUTGOING_ITEM
from sync.central.windows import departments

AT_ONCE: Final = 20
UPLOAD_KEPT_MS: Final = 24 * 3_600_000
LINES_KEPT_MS: Final = 180 * 86_400_000
CALLED_CHARACTERS_MAX: Final = 80
_PURPOSE: Final = b"doclocker/import/1\n"
NEEDS: Final = {Kind.PRE_REVIEWS: Action.AUTHORISE, Kind.OUTGOING: Action.ANNOUNCE_ITEM}
"""Besides `Action.IMPORT_CASES`: what a line does, whoever imports it must be allowed to do."""


@dataclass(frozen=True, slots=True)
class Preview:
    """``problems``: nothing is taken while there are any. ``taken``: lines that an earlier time took."""

    lines: int
    taken: int
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class Done:
    """By line: what was made of it, now or an earlier time."""

    made: Sequence[tuple[int, str]]
    refused: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class Imports:
    office: Office

    async def preview(self, kind: Kind, raw: bytes, actor: Actor) -> Preview:
        """Raises NotAllowed."""
        require(actor, kind)
        found = reading.read(kind, raw)
        digest = self._digest(kind, raw)

        def look(connection: Connection) -> Preview:
            taken = _taken(connection, digest)
            problems = [*found.problems, *_misplaced(connection, actor, found.lines, taken)]
            problems.sort(key=lambda problem: problem.line)
            return Preview(len(found.lines), len(taken), problems[:PROBLEMS_MAX])

        return await self.office.store.read(look)

    async def take(self, kind: Kind, raw: bytes, actor: Actor) -> Preview | Done:
        """A `Preview` where something does not fit: then nothing was done. Raises NotAllowed."""
        seen = await self.preview(kind, raw, actor)
        if seen.problems:
            return seen
        lines, digest = reading.read(kind, raw).lines, self._digest(kind, raw)
        made: list[tuple[int, str]] = []
        refused: list[Problem] = []
        for some in _parts(lines):
            some_made, some_refused = await self.office.store.write(
                lambda connection, some=some: self._take(connection, some, digest, actor)  # type: ignore[misc]  # bound now
            )
            made += some_made
            refused += some_refused
            self.office.pump.wake({line.body.locker for line in some})
        return Done(made, refused)

    # --- between preview and taking ---

    async def keep(self, kind: Kind, raw: bytes, called: str, actor: Actor) -> str:
        """For a day, sealed; its name."""
        desk = self.office.desk
        upload, now_ms = desk.chance.new_id(), desk.clock.wall_ms()
        values = {
            "upload": upload,
            "kind": kind.value,
            "called": called[:CALLED_CHARACTERS_MAX],
            "made_by": actor.who,
            "made_ms": now_ms,
            "sealed": desk.sealed({"text": raw.decode("latin-1")}),
        }

        def work(connection: Connection) -> None:
            connection.execute(UPLOAD.delete().where(UPLOAD.c.made_ms < now_ms - UPLOAD_KEPT_MS))
            connection.execute(TAKEN_LINE.delete().where(TAKEN_LINE.c.taken_ms < now_ms - LINES_KEPT_MS))
            connection.execute(UPLOAD.insert().values(values))

        await self.office.store.write(work)
        return upload

    async def kept(self, upload: str, actor: Actor) -> tuple[Kind, str, bytes]:
        """What the same person uploaded. Raises Refused."""
        row = await self.office.store.read(lambda c: rows.find(c, UPLOAD, {"upload": upload}))
        now_ms = self.office.desk.clock.wall_ms()
        if row is None or row.made_by != actor.who or row.made_ms < now_ms - UPLOAD_KEPT_MS:
            raise Refused(Refusal.UNKNOWN_UPLOAD, "no such file; upload it again")
        return Kind(row.kind), row.called, self.office.desk.opened(row.sealed)["text"].encode("latin-1")

    async def forget(self, upload: str) -> None:
        gone = UPLOAD.delete().where(UPLOAD.c.upload == upload)
        await self.office.store.write(lambda connection: connection.execute(gone))

    # --- one part ---

    def _take(
        self, connection: Connection, lines: Sequence[Line], digest: str, actor: Actor
    ) -> tuple[list[tuple[int, str]], list[Problem]]:
        taken, now_ms = _taken(connection, digest), self.office.desk.clock.wall_ms()
        made, refused = [], []
        for line in lines:
            if line.line in taken:
                made.append((line.line, taken[line.line]))
                continue
            try:
                with connection.begin_nested():
                    reference = self._make(connection, line, actor)
            except Refused as error:
                refused.append(Problem(line.line, "", error.reason))
                continue
            values = {"digest": digest, "line": line.line, "reference": reference, "taken_ms": now_ms}
            connection.execute(TAKEN_LINE.insert().values(values))
            made.append((line.line, reference))
        for number, reference in made:
            if number not in taken:
                audit.write(connection, now_ms, actor, Action.IMPORT_CASES, reference, {"line": number})
        return made, refused

    def _make(self, connection: Connection, line: Line, actor: Actor) -> str:
        """Raises Refused."""
        body = line.body
        locker = scope.locker_row(connection, actor, body.locker)
        if isinstance(body, PreReviewIn):
            if body.department:
                now_ms = self.office.desk.clock.wall_ms()
                departments.give(connection, actor, locker.area, body.case, body.department, now_ms)
            return cases.authorise(connection, self.office.desk, body.passed(), actor.who)
        return outgoing.announce(connection, self.office.desk, body.ready(), actor.who)

    def _digest(self, kind: Kind, raw: bytes) -> str:
        """Keyed: a plain one of a short file could be searched for the phones in it."""
        said = _PURPOSE + kind.value.encode() + b"\n" + raw
        return hmac.digest(self.office.desk.keys.seal.private, said, hashlib.sha256).hex()


def require(actor: Actor, kind: Kind) -> None:
    """Raises NotAllowed."""
    if not may(actor, NEEDS[kind]):
        raise NotAllowed(NEEDS[kind])


def _parts(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    return (lines[n : n + AT_ONCE] for n in range(0, len(lines), AT_ONCE))


def _taken(connection: Connection, digest: str) -> dict[int, str]:
    query = select(TAKEN_LINE.c.line, TAKEN_LINE.c.reference).where(TAKEN_LINE.c.digest == digest)
    return {row.line: row.reference for row in connection.execute(query)}


def _misplaced(
    connection: Connection, actor: Actor, lines: Sequence[Line], taken: dict[int, str]
) -> Iterator[Problem]:
    """Lockers that the actor does not see, departments that their areas lack, items that exist already."""
    own = LOCKER.c
    found = connection.execute(select(own.locker, own.area).where(scope.sees(actor, own.locker))).all()
    known = {row.locker: row.area for row in found}
    registered = {
        area: {name for row in departments.of_area(connection, actor, area) for name in (row.place, row.name)}
        for area in {known[line.body.locker] for line in lines if line.body.locker in known}
    }
    named: dict[str, int] = {}
    for line in lines:
        area = known.get(line.body.locker)
        if area is None:
            yield Problem(line.line, "locker", Why.LOCKER)
        elif isinstance(line.body, PreReviewIn) and line.body.department not in {"", *registered[area]}:
            yield Problem(line.line, "department", "unfit")
        item = line.body.item if isinstance(line.body, OutgoingIn) else None
        if not item or line.line in taken:
            continue
        if named.setdefault(item, line.line) != line.line:
            yield Problem(line.line, "item", Why.TWICE)
        elif rows.find(connection, OUTGOING_ITEM, {"item": item}):
            yield Problem(line.line, "item", Why.EXISTS)
