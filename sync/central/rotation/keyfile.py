"""``keys.json``: the centre's pairs, and the steps from one signing key to the next. The file alone is true.

Steady → `announced` (the next key is there and signs nothing) → `switched` (it signs; the one before is
still believed) → `retired`: steady again. A former key's secret is gone with the switch: its last word, the
introduction of its successor, is all that anybody still needs of it.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sync import durable, seal, wire
from sync.central.desk import Former, Keys

_OWN: Final = ("sign_seed", "seal_private")


class CannotRotate(Exception):
    """Nothing was changed. The message says what to do."""


def read(text: str) -> Keys:
    """Raises ValueError, KeyError, TypeError for what is no such file."""
    body = json.loads(text)
    sign, opens = (seal.key_from_hex(body[name]) for name in _OWN)
    coming = body.get("next_seed", "")
    return Keys(
        seal.SigningKey.from_seed(sign),
        seal.SealKey.from_private(opens),
        seal.SigningKey.from_seed(seal.key_from_hex(coming)) if coming else None,
        tuple(_former(each) for each in body.get("former", ())),
    )


def _former(body: dict[str, Any]) -> Former:
    return Former(
        seal.key_from_hex(body["public"]),
        bytes.fromhex(body["introduction"]),
        int(body["switched_ms"]),
        bool(body["retired"]),
    )


def written(keys: Keys) -> str:
    body: dict[str, Any] = {"sign_seed": keys.sign.seed.hex(), "seal_private": keys.seal.private.hex()}
    if keys.coming:
        body["next_seed"] = keys.coming.seed.hex()
    if keys.former:
        body["former"] = [
            {
                "public": each.public.hex(),
                "introduction": each.introduction.hex(),
                "switched_ms": each.switched_ms,
                "retired": each.retired,
            }
            for each in keys.former
        ]
    return json.dumps(body, indent=2) + "\n"


def put(path: Path, keys: Keys) -> None:
    """A cut leaves the file before or this one. Raises OSError."""
    durable.replace(path, written(keys))


def announced(keys: Keys, coming: seal.SigningKey) -> Keys:
    """Raises CannotRotate."""
    if keys.coming:
        raise CannotRotate(f"key {keys.coming.id.hex()} is announced already: `keys switch` comes next")
    if keys.standing:
        raise CannotRotate("the key before this one is still believed: `keys retire` comes first")
    return replace(keys, coming=coming)


def switched(keys: Keys, now_ms: int) -> Keys:
    """Raises CannotRotate."""
    if keys.coming is None:
        raise CannotRotate("no key is announced: `keys next` makes one")
    introduction = seal.frame(keys.sign, wire.encode(wire.CentreKey(keys.coming.public.hex())))
    before = Former(keys.sign.public, introduction, now_ms, retired=False)
    return replace(keys, sign=keys.coming, coming=None, former=(*keys.former, before))


def retired(keys: Keys) -> Keys:
    """Raises CannotRotate."""
    if not keys.standing:
        raise CannotRotate("no former key is believed any more: there is nothing to retire")
    return replace(keys, former=tuple(replace(each, retired=True) for each in keys.former))
