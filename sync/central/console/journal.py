"""The journal of acts as people read it: the newest first, sieved by who, what and which."""

import json
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from sync.central.access import audit
from sync.central.access.front import Means
from sync.central.access.matrix import Action
from sync.central.console import details
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.ledger import storable

ROWS_SHOWN: Final = 100
SIEVE_CHARACTERS_MAX: Final = 80


def add(frame: Frame, means: Means) -> None:
    frame.add(f"{ROOT}/audit", Action.SEE_AUDIT, _Pages(frame, means).page)


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame
    means: Means

    async def page(self, visit: Visit) -> Response:
        asked = visit.request.query_params
        sieve = {
            name: storable(asked.get(name, "").strip()[:SIEVE_CHARACTERS_MAX])
            for name in ("actor", "action", "object")
        }
        before = asked.get("before", "")
        last = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None  # noqa: PLR2004  # 64 bits
        found = await self.means.store.read(
            lambda c: (audit.latest(c, ROWS_SHOWN, last, **sieve), audit.signed_to(c))
        )
        rows, signed_to = found
        values = {
            "rows": [
                (row, details.act(visit.text, self.frame.moment, json.loads(row.detail))) for row in rows
            ],
            "signed_to": signed_to,
            "sieve": sieve,
            "actions": sorted([*Action, *audit.Event]),
            "older": rows[-1].seq if len(rows) == ROWS_SHOWN else 0,
        }
        return self.frame.page(visit, "audit.html", values)
