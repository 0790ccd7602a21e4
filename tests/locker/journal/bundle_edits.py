"""What can be done to the evidence of a case: by a stranger, and by one who holds the locker's own key."""

import hashlib
import json
from collections.abc import Callable, Iterator
from random import Random  # noqa: TID251  # seeded: the same edits every time
from typing import Any

from locker.journal import verify_evidence
from sync import seal
from tests.locker.journal.told_case import CENTRE, OWN, STRANGER, inside

Evidence = dict[str, Any]
Edit = Callable[[Evidence, Evidence, Random], None]


def resealed(evidence: Evidence, key: seal.SigningKey = OWN) -> bytes:
    """What somebody who holds ``key`` could make of it: page and signature fit."""
    text = json.dumps(evidence, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    signature = key.sign(verify_evidence.SIGNED_AS + text.encode()).hex()
    return verify_evidence.page(text, signature).encode("ascii")


def flip(data: bytes, _other: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def delete(data: bytes, _other: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randint(1, 200) :]


def insert(data: bytes, _other: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice((b" ", b"0", b"<p>", b"\n", chance.randbytes(3))) + data[at:]


def truncate(data: bytes, _other: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data))]


def replaced_page(data: bytes, other: bytes, chance: Random) -> bytes:
    """Another page round the same evidence."""
    at = data.index(verify_evidence.OPENS.encode())
    kind = chance.randrange(3)
    if kind == 0:
        return other[: other.index(verify_evidence.OPENS.encode())] + data[at:]
    if kind == 1:
        words = chance.choice((b"DoorForced", b"DoorOpened", b"C-1", b"loc-1", b"</table>", b"(ntp)", b"d-3"))
        place = data.index(words)
        return data[:place] + b"nothing" + data[place + len(words) :]
    return data[:at] + b"<!-- " + str(chance.random()).encode() + b" -->\n" + data[at:]


def replaced_evidence(data: bytes, other: bytes, chance: Random) -> bytes:
    """The page of this one, evidence of another, or only its signature."""
    if chance.randrange(2):
        return (
            data[: data.index(verify_evidence.OPENS.encode())]
            + other[other.index(verify_evidence.OPENS.encode()) :]
        )
    key = chance.choice((STRANGER, CENTRE))
    text, signature = verify_evidence._parts(data.decode())
    return data.replace(
        signature.encode(), key.sign(verify_evidence.SIGNED_AS + text.encode()).hex().encode()
    )


FILE_EDITS = (flip, delete, insert, truncate, replaced_page, replaced_evidence)


def entry_altered(e: Evidence, _other: Evidence, chance: Random) -> None:
    row = chance.choice([row for row in e["rows"] if not isinstance(row, str)])
    text = row["public"]
    at = chance.randrange(len(text))
    row["public"] = text[:at] + chance.choice("0123456789abcxyz{}") + text[at + 1 :]
    if row["public"] == text:
        row["public"] = text + " "


def entry_deleted(e: Evidence, _other: Evidence, chance: Random) -> None:
    at = chance.randrange(len(e["rows"]) - 1)
    del e["rows"][at : at + chance.randint(1, 5)]


def entry_inserted(e: Evidence, other: Evidence, chance: Random) -> None:
    row = chance.choice([*e["rows"], *other["rows"], "0" * 64])
    e["rows"].insert(chance.randrange(len(e["rows"])), row)


def reordered(e: Evidence, _other: Evidence, chance: Random) -> None:
    one, two = sorted(chance.sample(range(len(e["rows"])), 2))
    e["rows"][one], e["rows"][two] = e["rows"][two], e["rows"][one]


def cut_in_between(e: Evidence, _other: Evidence, chance: Random) -> None:
    """Entries fall out at the start, the chain is told to begin later."""
    count = chance.randint(1, 18)
    del e["rows"][:count]
    e["before"]["seq"] += count


def cut_off(e: Evidence, _other: Evidence, chance: Random) -> None:
    """The end is gone, and with it the entry that the centre countersigned."""
    del e["rows"][chance.randint(1, len(e["rows"]) - 1) :]


def swapped_keys(e: Evidence, _other: Evidence, chance: Random) -> None:
    kind = chance.randrange(3)
    if kind == 0:
        e["keys"]["centre"] = STRANGER.public.hex()
    elif kind == 1:
        e["keys"]["locker"], e["keys"]["centre"] = e["keys"]["centre"], e["keys"]["locker"]
    else:
        e["keys"]["locker"] = STRANGER.public.hex()


def proof_of_another(e: Evidence, other: Evidence, chance: Random) -> None:
    part = chance.choice(("before", "rows", "case"))
    e[part] = other[part]


def countersignature_altered(e: Evidence, _other: Evidence, chance: Random) -> None:
    frame = bytearray.fromhex(e["countersigned"])
    frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
    e["countersigned"] = frame.hex()


def named_otherwise(e: Evidence, _other: Evidence, chance: Random) -> None:
    what = chance.choice(("locker", "epoch", "case", "kind", "v"))
    e[what] = chance.choice((e["case"] + "x", "0" * 32, "loc-2", 2, True, "", None, []))


def person_altered(e: Evidence, _other: Evidence, chance: Random) -> None:
    row = next(row for row in e["rows"] if "personal" in row)
    what = chance.choice(("personal", "salt", "digest"))
    row[what] = row[what][:-4] + chance.choice(("aaaa", "张*明", "", "AAAA"))


def frame_of_another(e: Evidence, _other: Evidence, chance: Random) -> None:
    """A true word of the centre: to another locker, on another journal, on another history, or on none."""
    said = json.loads(bytes.fromhex(e["countersigned"])[verify_evidence.FRAME_HEAD :])
    said |= chance.choice(
        (
            {"locker": "loc-2"},
            {"up_epoch": chance.randbytes(16).hex()},
            {"hash": chance.randbytes(32).hex()},
            {"stored_to": said["stored_to"] + chance.choice((-3, -2, -1, 1, 2, 500))},
            {"kind": "dn_log"},
        )
    )
    e["countersigned"] = seal.frame(CENTRE, json.dumps(said).encode()).hex()


def head_of_another(e: Evidence, _other: Evidence, chance: Random) -> None:
    """A signed head of another chain in the place of one of this."""
    rows = [row for row in e["rows"] if not isinstance(row, str) and '"HeadSigned"' in row["public"]]
    row = chance.choice(rows)
    entry = json.loads(row["public"])
    said = entry["data"]
    said["hash"] = chance.randbytes(32).hex()
    said["signature"] = OWN.sign(f"{e['epoch']}:{said['seq']}:{said['hash']}".encode()).hex()
    row["public"] = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


INSIDE_EDITS: tuple[Edit, ...] = (
    entry_altered, entry_deleted, entry_inserted, reordered, cut_in_between, cut_off, swapped_keys,
    proof_of_another, countersignature_altered, named_otherwise, person_altered, frame_of_another,
    head_of_another,
)  # fmt: skip


def acknowledgement_removed(e: Evidence, _other: Evidence, _chance: Random) -> None:
    e["countersigned"] = e["keys"]["centre"] = ""


def entry_hidden(e: Evidence, _other: Evidence, chance: Random) -> None:
    """An entry of the case becomes a bare leaf: the chain still holds."""
    at = chance.choice([at for at, row in enumerate(e["rows"]) if not isinstance(row, str)])
    row = e["rows"][at]
    digest = bytes.fromhex(row["digest"]) if "digest" in row else verify_evidence.NOBODY
    e["rows"][at] = hashlib.sha256(b"\x00" + row["public"].encode() + digest).hexdigest()


def names_removed(e: Evidence, _other: Evidence, chance: Random) -> None:
    row = chance.choice([row for row in e["rows"] if "personal" in row])
    del row["personal"], row["salt"]


STRANGERS_EDITS = (*INSIDE_EDITS, acknowledgement_removed, entry_hidden, names_removed)
"""The last three are the locker's own to make: they leave a chain that holds. A stranger has no signature."""


def as_a_stranger(evidence: Evidence, whole: bytes, chance: Random) -> bytes:
    """The page fits; the signature is the one that was there, or the stranger's own, his key or not."""
    kind = chance.randrange(3)
    if kind == 0:
        text = json.dumps(evidence, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
        return verify_evidence.page(text, verify_evidence._parts(whole.decode())[1]).encode("ascii")
    if kind == 1:
        evidence["keys"]["locker"] = STRANGER.public.hex()
    return resealed(evidence, STRANGER)


def edited_bundles(whole: bytes, other: bytes, chance: Random) -> Iterator[tuple[str, bytes]]:
    """Each edit once, by its name, less those that change nothing or leave nothing to make a page of."""
    for file_edit in FILE_EDITS:
        edited = file_edit(whole, other, chance)
        assert edited != whole
        yield file_edit.__name__, edited
    for edit in INSIDE_EDITS:
        if (made := _made(edit, whole, other, chance, resealed)) is not None:
            yield edit.__name__, made
    for edit in STRANGERS_EDITS:
        made = _made(edit, whole, other, chance, lambda evidence: as_a_stranger(evidence, whole, chance))
        if made is not None:
            yield f"{edit.__name__} by a stranger", made


def _made(
    edit: Edit, whole: bytes, other: bytes, chance: Random, seal_again: Callable[[Evidence], bytes]
) -> bytes | None:
    evidence = inside(whole)
    edit(evidence, inside(other), chance)
    if evidence == inside(whole):
        return None
    try:
        return seal_again(evidence)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
