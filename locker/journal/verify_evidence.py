"""Does this evidence of one case hold? A check on its own: standard library and `cryptography`, one file.

    python verify_evidence.py FILE [--keys KEYS]

Exit 0 and what is shown and what is not, or exit 1 and the first thing that does not hold. It shares no code
with the daemon: who doubts the daemon may read this instead. Made by `lockerctl evidence export`, or, as its
version 2, by the centre from its copy of the journal.

A bundle is one page that any browser opens. In it stands the evidence as JSON, and the signature of just
those bytes by whoever made it; all the rest of the page is made from the evidence by `page` below, and
compared byte for byte: it cannot say anything else. The evidence has every entry of the journal from the
first of the case on, those of the case and the signed heads as their exact texts, all others as bare leaves:

    digest = SHA-256(salt ‖ personal text)           SHA-256 of nothing where nobody was ever named
    leaf   = SHA-256(0x00 ‖ public text ‖ digest)
    hash   = SHA-256(0x01 ‖ hash of the entry before ‖ leaf)

An entry named HeadSigned holds the locker's Ed25519 signature of ``EPOCH:SEQ:HASH``. The centre countersigns
with each acknowledgement: a frame, ``1 ‖ key id (8) ‖ signature (64) ‖ body``, whose body names epoch, entry
and hash. A key's id is the first 8 bytes of its SHA-256.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KIND: Final = "doclocker-evidence"
VERSION: Final = 1
"""Of the evidence and of its page: another page is another version, and the old one stays checkable."""
BY_CENTRE: Final = 2
"""The same, made and signed as a whole by the centre; the heads in it are the locker's own as ever."""
MADE_BY: Final = {VERSION: "locker", BY_CENTRE: "centre"}
SIGNED_AS: Final = b"doclocker/v1/evidence:"
"""Before the evidence when it is signed: no other text that a locker signs begins so."""
OPENS: Final = '<script type="application/json" id="evidence" data-signature="'
BEGINS: Final = '">\n'
ENDS: Final = "\n</script>"
NOBODY: Final = hashlib.sha256(b"").digest()
FRAME_HEAD: Final = 73
COUNTERSIGNS: Final = ("dn_ack", "hello")
"""Kinds of frames in which the centre says what it has stored."""


@dataclass(frozen=True)
class Verdict:
    """``wrong`` is the first thing that does not hold, empty if all does."""

    wrong: str = ""
    shown: tuple[str, ...] = ()
    not_shown: tuple[str, ...] = ()


class Wrong(Exception):
    """What does not hold."""


@dataclass(frozen=True)
class Chain:
    """What the entries themselves lead to."""

    hashes: Mapping[int, bytes]
    """By number, from the one before the first on."""
    entries: Mapping[int, dict[str, Any]]
    """Those given in full, read."""
    first: int
    last: int


def check(data: bytes, keys: Mapping[str, Any] | None = None) -> Verdict:
    """Of a whole file. ``keys``: ``{"lockers": {name: hex or [hex, …]}, "centre": [hex, …]}``, from whom one
    trusts."""
    try:
        return _checked(data, keys)
    except Wrong as wrong:
        return Verdict(str(wrong))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Verdict(f"not readable as evidence ({type(error).__name__}: {error})")


def _checked(data: bytes, keys: Mapping[str, Any] | None) -> Verdict:
    text, signature = _parts(data.decode("ascii"))
    evidence = json.loads(text)
    if "<" in text:
        raise Wrong("the evidence could end its own element of the page")
    if evidence["kind"] != KIND or type(evidence["v"]) is not int or evidence["v"] not in MADE_BY:
        raise Wrong("evidence of another kind or version: take the checker that goes with it")
    if not all(type(evidence[name]) is str and evidence[name] for name in ("locker", "epoch", "case")):
        raise Wrong("it does not name a locker, a journal and a case")
    made_by = evidence["keys"][MADE_BY[evidence["v"]]]
    _signed(made_by, signature, SIGNED_AS + text.encode(), "the evidence as a whole")
    chain = _walked(evidence)
    about = _about(evidence, chain)
    signed_to = _heads(evidence, chain)
    countersigned = _countersigned(evidence, chain)
    _trusted(evidence, keys)
    if data != page(text, signature).encode("ascii"):
        raise Wrong("the page does not say what the evidence says")
    return _verdict(evidence, chain, about, signed_to, countersigned, compared=keys is not None)


def _parts(file: str) -> tuple[str, str]:
    _, opens, rest = file.partition(OPENS)
    signature, begins, rest = rest.partition(BEGINS)
    text, ends, _ = rest.partition(ENDS)
    if not (opens and begins and ends):
        raise Wrong("no evidence in it")
    return text, signature


def _walked(evidence: dict[str, Any]) -> Chain:
    at, link = evidence["before"]["seq"], _raw(evidence["before"]["hash"], 32)
    if type(at) is not int or at < 0 or (at == 0 and link != bytes(32)):
        raise Wrong("it begins nowhere")
    first, hashes, entries = at + 1, {at: link}, {}
    for row in evidence["rows"]:
        at += 1
        if isinstance(row, str):
            leaf = _raw(row, 32)
        else:
            leaf = hashlib.sha256(b"\x00" + row["public"].encode() + _digest(at, row)).digest()
            entries[at] = json.loads(row["public"])
            if entries[at]["seq"] != at:
                raise Wrong(f"entry {at}: its text says that it is entry {entries[at]['seq']}")
        link = hashlib.sha256(b"\x01" + link + leaf).digest()
        hashes[at] = link
    return Chain(hashes, entries, first, at)


def _digest(at: int, row: dict[str, str]) -> bytes:
    digest = _raw(row["digest"], 32) if "digest" in row else NOBODY
    if "personal" in row:
        salted = _raw(row["salt"]) + row["personal"].encode()
        if hashlib.sha256(salted).digest() != digest:
            raise Wrong(f"entry {at}: its personal part is not what was hashed")
    return digest


def _about(evidence: dict[str, Any], chain: Chain) -> list[int]:
    """The entries of the case: all that are given in full, heads apart; one of them names it."""
    about = [at for at, entry in chain.entries.items() if entry["type"] != "HeadSigned"]
    if not any(chain.entries[at]["data"].get("case") == evidence["case"] for at in about):
        raise Wrong("no entry names the case")
    if about[0] != chain.first:
        raise Wrong("it does not begin with the case")
    return about


def _heads(evidence: dict[str, Any], chain: Chain) -> int:
    """Up to where the locker signed its chain; 0 where it did not."""
    own, signed_to = evidence["keys"]["locker"], 0
    for at, entry in chain.entries.items():
        said = entry["data"]
        if entry["type"] != "HeadSigned" or said["key"] != _key_id(own) or said["seq"] not in chain.hashes:
            continue
        if said["seq"] >= at or chain.hashes[said["seq"]].hex() != said["hash"]:
            raise Wrong(f"entry {said['seq']}: not the one that was signed in entry {at}")
        text = f"{evidence['epoch']}:{said['seq']}:{said['hash']}"
        _signed(own, said["signature"], text.encode(), f"the head in entry {at}")
        signed_to = max(signed_to, said["seq"])
    return signed_to if signed_to >= chain.first else 0


def _countersigned(evidence: dict[str, Any], chain: Chain) -> tuple[int, int]:
    """Up to where the centre countersigned, and when by its clock; zeros where it did not."""
    frame, key = _raw(evidence["countersigned"]), evidence["keys"]["centre"]
    if not frame:
        if key:
            raise Wrong("a key of the centre, and nothing that it signed")
        return 0, 0
    said = word_in(frame, key)
    if (said["locker"], said["up_epoch"]) != (evidence["locker"], evidence["epoch"]):
        raise Wrong("the centre countersigned another journal")
    if said["stored_to"] not in chain.hashes or chain.hashes[said["stored_to"]].hex() != said["hash"]:
        raise Wrong(f"entry {said['stored_to']}: not the one that the centre countersigned")
    return said["stored_to"], said["now"]


def word_in(frame: bytes, key: str) -> dict[str, Any]:
    """What the centre says in a frame on how much it has stored. Raises Wrong where it said no such thing."""
    if frame[:1] != b"\x01" or frame[1:9].hex() != _key_id(key):
        raise Wrong("the countersignature is by another key")
    _signed(key, frame[9:FRAME_HEAD].hex(), frame[FRAME_HEAD:], "the countersignature")
    said: dict[str, Any] = json.loads(frame[FRAME_HEAD:])
    if said["kind"] not in COUNTERSIGNS:
        raise Wrong("what the centre signed is no acknowledgement")
    return said


def _trusted(evidence: dict[str, Any], keys: Mapping[str, Any] | None) -> None:
    if keys is None:
        return
    known = keys["lockers"].get(evidence["locker"], ())
    # A locker whose controller was exchanged has several: a list.
    if evidence["keys"]["locker"] not in ([known] if isinstance(known, str) else known):
        raise Wrong(f"the keys given know another key of locker {evidence['locker']}, or none")
    if evidence["keys"]["centre"] and evidence["keys"]["centre"] not in keys["centre"]:
        raise Wrong("the centre's key is none of those given")


def _signed(key: str, signature: str, data: bytes, what: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(_raw(key, 32)).verify(_raw(signature, 64), data)
    except InvalidSignature:
        raise Wrong(f"{what}: not what was signed") from None


def _key_id(key: str) -> str:
    return hashlib.sha256(_raw(key, 32)).digest()[:8].hex()


def _raw(text: str, size: int | None = None) -> bytes:
    """Bytes from their one way to be written."""
    raw = bytes.fromhex(text)
    if raw.hex() != text or size not in (None, len(raw)):
        raise Wrong(f"not {size or 'some'} bytes in hex: {text[:80]!r}")
    return raw


def _verdict(
    evidence: dict[str, Any],
    chain: Chain,
    about: list[int],
    signed_to: int,
    countersigned: tuple[int, int],
    *,
    compared: bool,
) -> Verdict:
    stored_to, stored_ms = countersigned
    keys = ", ".join(f"{name} {key}" for name, key in evidence["keys"].items() if key)
    who = MADE_BY[evidence["v"]]
    case = f"{len(about)} entries of case {evidence['case']}, from {about[0]} to {about[-1]}"
    shown = [
        f"{case}, stand unaltered and in this order in the journal of locker {evidence['locker']}",
        f"the {who} signs that these are all entries of the case that it kept up to entry {chain.last}",
    ]
    missing = []
    if signed_to:
        shown.append(f"the locker signed its journal up to entry {signed_to} while it went on")
    if signed_to < about[-1]:
        missing.append(_uncovered("signed", signed_to, about))
    if stored_to >= chain.first:
        shown.append(f"the centre countersigned the journal up to entry {stored_to}, at {_when(stored_ms)}")
    if stored_to < about[-1]:
        missing.append(_uncovered("countersigned", stored_to, about))
    if compared:
        shown.append("the keys are those given")
    else:
        missing.append(f"whose keys these are: compare them, or give them with --keys ({keys})")
    others = chain.last - chain.first + 1 - len(chain.entries)
    missing.append(f"what the other {others} entries say: only their hashes are here")
    return Verdict("", tuple(shown), tuple(missing))


def _uncovered(how: str, to: int, about: list[int]) -> str:
    if to < about[0]:
        return f"no {how} head covers any entry of the case"
    rest = sum(at > to for at in about)
    return f"no {how} head after entry {to}: the last {rest} entries of the case are without"


# --- the page ----------------------------------------------------------------------------------------------

STYLE: Final = (
    "body{font:16px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#111;background:#fff}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.3em .5em;text-align:left;"
    "vertical-align:top}td:last-child{overflow-wrap:anywhere}th{background:#eee}.named{background:#fff3c4}"
    "@media print{body{margin:0;max-width:none;font-size:11px}}"
)
TITLE: Final = "Evidence of one case · 单个办件的存证"
LEAD: Final = (
    "What the locker recorded about this case, in the order in which it happened. This page is a rendering of"
    " the evidence inside this very file. Whether it was altered is found out with the file alone, without a"
    " network: lockerctl evidence verify FILE. 以下为柜机对该办件的原始记录，按发生顺序排列。"
    "文件是否被改动，可离线用上述命令核验。"
)
SHORT: Final = 48
"""Longer values are digests, seals and signatures: the page shows their beginning."""
WORDS: Final = {
    "AuthorisationGranted": "准予交件",
    "AuthorisationRevoked": "撤销交件",
    "CodeAccepted": "凭码通过",
    "CodeFailed": "凭码错误",
    "CodeEnded": "凭码失效",
    "CompartmentReserved": "分配格口",
    "CompartmentDoubted": "格口待查",
    "DepositCancelled": "取消",
    "DoorClosed": "柜门已关",
    "DoorForced": "柜门异常开启",
    "DoorLeftOpen": "柜门未关",
    "DoorOpened": "柜门已开",
    "DoorStuck": "柜门未弹开",
    "HeadSigned": "日志签名",
    "ItemAnnounced": "待取件通知",
    "ItemLoaded": "已放入待取件",
    "ItemOverdue": "逾期未取",
    "ItemPickedUp": "已取走",
    "ItemRefused": "拒收",
    "ItemWithdrawn": "已收回",
    "OpeningRequested": "请求开门",
    "OpeningUnknown": "开门结果不明",
    "PickupCodeMade": "生成取件码",
    "ReceiptIssued": "出具回执",
    "SubmissionDeposited": "材料已交入",
    "SubmissionTaken": "材料已收取",
    "SubmissionTakenBack": "材料已取回",
}
"""What the commonest types of entries are called; all others by their own names alone."""


def page(text: str, signature: str) -> str:
    """The whole file: ``text`` is the evidence as JSON in ASCII without ``<``, ``signature`` is in hex."""
    evidence = json.loads(text)
    rows, numbers = [], range(evidence["before"]["seq"] + 1, sys.maxsize)
    for at, row in zip(numbers, evidence["rows"], strict=False):
        if not isinstance(row, str):
            rows.append(_row(at, json.loads(row["public"]), row))
    facts = [
        ("Locker · 柜机", evidence["locker"]),
        ("Case · 办件", evidence["case"]),
        ("Journal · 日志", evidence["epoch"]),
        (
            "Entries · 记录",
            f"{evidence['before']['seq'] + 1} – {evidence['before']['seq'] + len(evidence['rows'])}",
        ),
        ("Key of the locker · 柜机公钥", evidence["keys"]["locker"]),
        ("Key of the centre · 中心公钥", evidence["keys"]["centre"] or "–"),
    ]
    if evidence.get("v") == BY_CENTRE:
        facts.append(("Made by · 出具", "the centre, from its copy of the journal · 中心，据其日志副本"))
    heads = ("No. · 序号", "Time (UTC) · 时间", "What · 事项", "By · 来源", "Details · 内容")
    html = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        f"<title>{TITLE}</title><style>{STYLE}</style></head><body>",
        f"<h1>{TITLE}</h1><p>{LEAD}</p><table>",
        *(f"<tr><th>{name}</th><td>{_shown(value)}</td></tr>" for name, value in facts),
        "</table><h2>Entries · 记录</h2><table><tr>",
        *(f"<th>{head}</th>" for head in heads),
        "</tr>",
        *rows,
        "</table>",
    ]
    visible = "\n".join(html).encode("ascii", "xmlcharrefreplace").decode("ascii")
    return f"{visible}\n{OPENS}{signature}{BEGINS}{text}{ENDS}\n</body></html>\n"


def _row(at: int, entry: dict[str, Any], row: dict[str, str]) -> str:
    details = [f"{name}: {_short(value)}" for name, value in sorted(entry["data"].items()) if value != ""]
    named = json.loads(row["personal"]) if "personal" in row else {}
    details += [
        f'<span class="named">{_shown(name)}: {_short(value)}</span>' for name, value in named.items()
    ]
    when = f"{_when(entry['time'])} ({_shown(entry['tq'])})"
    cells = (str(at), when, _called(entry["type"]), _shown(entry["cause"]), "<br>".join(details))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _called(kind: str) -> str:
    return f"{_shown(kind)}<br>{WORDS[kind]}" if kind in WORDS else _shown(kind)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _shown(text if len(text) <= SHORT else text[: SHORT // 3] + "…")


def _shown(value: object) -> str:
    return escape(str(value))


def _when(wall_ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(wall_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return f"{wall_ms} ms"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="verify_evidence", description="Check the evidence of one case.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--keys", type=Path, help='{"lockers": {"NAME": "HEX"}, "centre": ["HEX"]}')
    asked = parser.parse_args(arguments)
    try:
        keys = json.loads(asked.keys.read_text("utf-8")) if asked.keys else None
        verdict = check(asked.file.read_bytes(), keys)
    except (OSError, ValueError, RecursionError) as error:
        verdict = Verdict(f"not readable: {error}")
    if verdict.wrong:
        print(f"{asked.file}: REFUSED: {verdict.wrong}")
        return 1
    print(f"{asked.file}: holds")
    for line in verdict.shown:
        print(f"  shown: {line}")
    for line in verdict.not_shown:
        print(f"  not shown: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
