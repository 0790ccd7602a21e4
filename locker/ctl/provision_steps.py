"""From a claim to a locker's identity, and from one certificate to the next.

Each step leaves whole files. Who was interrupted does the same again: what was asked for is asked for by the
same keys, what was answered is put in place.
"""

import base64
import contextlib
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from locker.config import ConfigError, load_text
from locker.ctl import provision_files as names
from locker.ctl.provision_files import Shelf
from locker.ctl.provision_hub import CannotProvision, Hub
from sync import certificates, seal, wire
from sync.certificates import BadCertificate
from sync.wire import provision

STATE_DIR: Final = "/var/lib/doclocker"
STATUS_PORT: Final = 8081
RandomBytes = Callable[[int], bytes]
_KEY: Final = re.compile(r"[0-9a-f]{64}")
_DAMAGED: Final = "the answer is damaged, or not for this locker"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a locker's files go."""

    config: Path
    shelf: Shelf
    state_dir: str = STATE_DIR


@dataclass(frozen=True, slots=True)
class Pending:
    """What was asked for. Its keys never leave the locker."""

    claim: str
    """The name of the claim's key."""
    locker: str
    link_key: str
    own_seed: str
    seal_private: str
    trust: provision.Trust
    answer: str = ""
    """Base64, once it came."""

    def text(self) -> str:
        told = {
            "claim": self.claim,
            "locker": self.locker,
            "link_key": self.link_key,
            "own_seed": self.own_seed,
            "seal_private": self.seal_private,
            "root": self.trust.root,
            "centre": self.trust.centre,
            "answer": self.answer,
        }
        return json.dumps(told, indent=2) + "\n"

    @classmethod
    def read(cls, text: str) -> "Pending":
        """Raises CannotProvision."""
        try:
            values: dict[str, Any] = json.loads(text)
            trust = provision.Trust(values.pop("root"), values.pop("centre"))
            return cls(**values, trust=trust)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CannotProvision(
                f"{names.PENDING} is damaged. Remove it, and have a new claim made"
            ) from error


# --- the first time --------------------------------------------------------------------------------------


def is_done(place: Place, claim: provision.Claim) -> bool:
    """Whether just this claim was taken here, and everything is in place."""
    known = place.shelf.text(names.HUB)
    if not known or place.shelf.has(names.PENDING):
        return False
    return bool(json.loads(known).get("claim") == _key(claim).id.hex())


def prepare(place: Place, claim: provision.Claim, random_bytes: RandomBytes) -> Pending:
    """The keys of this locker, made once and kept, whatever becomes of the asking. Raises CannotProvision."""
    shelf, name = place.shelf, _key(claim).id.hex()
    if shelf.has(names.PENDING):
        pending = Pending.read(shelf.text(names.PENDING))
        if (pending.claim, pending.locker) == (name, claim.locker):
            return pending
    own = _own_seed(shelf, claim.locker)
    pending = Pending(
        name,
        claim.locker,
        certificates.new_key(),
        own or random_bytes(seal.KEY_BYTES).hex(),
        random_bytes(seal.KEY_BYTES).hex(),
        claim.trust,
    )
    shelf.make()
    shelf.put(names.PENDING, pending.text())
    return pending


def _own_seed(shelf: Shelf, locker: str) -> str:
    """Of the key that the locker has already, "" for none. Raises CannotProvision for another locker's."""
    text = shelf.text(names.OWN)
    if not text:
        return ""
    try:
        known = json.loads(text)
        found, seed = str(known["locker"]), str(known["sign_seed"])
    except (ValueError, KeyError, TypeError) as error:
        raise CannotProvision(f"{names.OWN} is damaged. Take it from a backup") from error
    if found != locker:
        raise CannotProvision(
            f"this machine is locker {found!r}, the claim is for {locker!r}. `lockerctl retire` it first"
        )
    return seed


def request(pending: Pending, claim: provision.Claim) -> bytes:
    """The frame that asks. Raises CannotProvision."""
    own, answered = _own(pending), seal.SealKey.from_private(bytes.fromhex(pending.seal_private))
    csr = certificates.request_for(pending.link_key, pending.locker)
    told = (pending.locker, own.public.hex(), answered.public.hex(), csr)
    consent = own.sign(provision.consented(*told)).hex()
    return seal.frame(_key(claim), provision.Request(*told, consent).body())


def take(place: Place, pending: Pending, frame: bytes) -> Mapping[str, Any]:
    """Keep the hub's answer, then put everything in its place. Raises CannotProvision; may be done again."""
    told = opened(pending, frame)
    kept = Pending(
        **{
            **{name: getattr(pending, name) for name in Pending.__slots__},
            "answer": base64.b64encode(frame).decode(),
        }
    )
    place.shelf.put(names.PENDING, kept.text())
    unpack(place, kept, told)
    return told


def opened(pending: Pending, frame: bytes) -> Mapping[str, Any]:
    """What the centre says, checked as a whole before any of it is used. Raises CannotProvision."""
    try:
        sealed = seal.open_frame(frame, seal.keyring(seal.key_from_hex(pending.trust.centre)))
        key = seal.SealKey.from_private(bytes.fromhex(pending.seal_private))
        told = provision.read_answer(seal.unseal(key, sealed.decode()))
        texts = provision.texts_of(told, "locker", "area", "certificate", "root", "hub", "plan")
        fits = (
            texts["locker"] == pending.locker == told["centre"]["locker"]
            and texts["root"] == pending.trust.root
            and certificates.is_issued_by(texts["certificate"], texts["root"])
            and certificates.is_for(texts["certificate"], pending.link_key)
            and certificates.read(texts["certificate"]).name == pending.locker
            and pending.trust.centre in {key["public"] for key in told["centre"]["centre_sign"]}
            and type(told["broker"]["port"]) is int
            and str(told["broker"]["host"]).isprintable()
        )
    except (seal.SealError, ValueError, KeyError, TypeError) as error:
        raise CannotProvision(f"{_DAMAGED} ({error}). Ask again; else have a new claim made") from error
    if not fits:
        raise CannotProvision(f"{_DAMAGED}. Ask again; else have a new claim made")
    return told


def unpack(place: Place, pending: Pending, told: Mapping[str, Any]) -> None:
    """Every file of it; the last step forgets what was asked. Raises CannotProvision."""
    text = configuration(place, told)
    shelf = place.shelf
    shelf.put(names.OWN, json.dumps({"locker": pending.locker, "sign_seed": pending.own_seed}))
    shelf.put(names.CENTRE, json.dumps(told["centre"], indent=2) + "\n")
    shelf.put(names.ROOT, told["root"])
    shelf.put(names.LINK, pending.link_key + told["certificate"])
    for name in (names.NEXT, names.NEXT_KEY):
        shelf.drop(name)
    if told["plan"] and not place.config.exists():
        owner = None if shelf.owner is None else (0, shelf.owner[1])
        names.put(place.config, text, 0o640, owner)
    elif not place.config.exists() or place.config.read_text(encoding="utf-8") != text:
        names.put(planned(place), text, 0o644, None)
    believe(place, told.get("release_keys", ()))
    shelf.put(names.HUB, json.dumps({"hub": told["hub"], "claim": pending.claim}) + "\n")
    shelf.drop(names.PENDING)


def believe(place: Place, keys: object) -> None:
    """Whose releases this machine takes, as `systemd/update trust` writes it; what it says already stays.

    Raises CannotProvision.
    """
    path = place.config.with_name(names.RELEASES)
    if not keys or path.exists():
        return
    if not isinstance(keys, list) or not all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):
        raise CannotProvision(f"{_DAMAGED} (release keys). Ask again; else have a new claim made")
    names.put(path, json.dumps({"keys": keys}, indent=1) + "\n", 0o644, None)


def planned(place: Place) -> Path:
    """Where the hub's plan goes that is not whole, or would overwrite what somebody wrote."""
    return place.config.with_name(f"{place.config.name}.planned")


def configuration(place: Place, told: Mapping[str, Any]) -> str:
    """`locker.toml` as the hub plans it. Raises CannotProvision where the plan does not fit."""
    keys = place.shelf.folder.name
    head = _toml(
        "locker", id=told["locker"], area=told["area"], state_dir=place.state_dir, keys_dir=keys
    ) + _toml("mqtt", host=told["broker"]["host"], port=told["broker"]["port"])
    wired = _toml("", ca=f"{keys}/{names.ROOT}", cert=f"{keys}/{names.LINK}", key=f"{keys}/{names.LINK}")
    try:  # its files are not there yet
        if told["plan"]:
            load_text(place.config, f"{head}\n{told['plan']}")
    except ConfigError as error:
        raise CannotProvision(
            f"the plan does not fit: {error}. Have a claim made with another one"
        ) from error
    # Somebody will look at it or collect its figures: on this machine alone.
    watched = "" if "status" in tomllib.loads(told["plan"]) else "\n" + _toml("status", port=STATUS_PORT)
    return f"{head}{wired}{watched}\n{told['plan']}"


def _toml(table: str, **values: str | int) -> str:
    head = f"[{table}]\n" if table else ""
    return head + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def _key(claim: provision.Claim) -> seal.SigningKey:
    return seal.SigningKey.from_seed(claim.seed)


def _own(pending: Pending) -> seal.SigningKey:
    return seal.SigningKey.from_seed(bytes.fromhex(pending.own_seed))


# --- renewal ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Renewed:
    """``state``: `not due`, `waits` for the broker's yes, or `worn`: at the daemon's next connection."""

    state: str
    facts: certificates.Facts


def hub_url(shelf: Shelf) -> str:
    """Raises CannotProvision where the locker was not provisioned by a claim."""
    try:
        return str(json.loads(shelf.text(names.HUB))["hub"])
    except (ValueError, KeyError, TypeError) as error:
        raise CannotProvision("this locker has no certificate of ours: provision it by a claim") from error


def renew(
    shelf: Shelf, locker: str, wall_ms: int, hub: Hub, broker_takes: Callable[[Path], bool | None]
) -> Renewed:
    """One look, to be had every day: asks once two thirds of the certificate's life are over, wears the new
    one once the broker takes it, or once the old one is over. Raises CannotProvision, Waiting.

    What time it is, the hub says where it can be asked: a locker's own clock may have stood still.
    """
    worn = _facts(shelf, names.LINK)
    now_ms = _now_ms(hub, wall_ms)
    if not shelf.has(names.NEXT):
        if now_ms < worn.renewal_ms:
            return Renewed("not due", worn)
        _ask_for_next(shelf, locker, worn, hub)
    coming = _facts(shelf, names.NEXT)
    if now_ms <= worn.not_after_ms and broker_takes(shelf.folder / names.NEXT) is not True:
        return Renewed("waits", coming)
    shelf.rename(names.NEXT, names.LINK)
    shelf.drop(names.NEXT_KEY)
    return Renewed("worn", coming)


def _now_ms(hub: Hub, wall_ms: int) -> int:
    try:
        return hub.trust()[1]
    except CannotProvision:
        return wall_ms


def _ask_for_next(shelf: Shelf, locker: str, worn: certificates.Facts, hub: Hub) -> None:
    """The key is made first and kept: an answer that was lost is asked for again by the same key."""
    if not shelf.has(names.NEXT_KEY):
        shelf.put(names.NEXT_KEY, certificates.new_key())
    key, pair = shelf.text(names.NEXT_KEY), shelf.text(names.LINK)
    try:
        csr = certificates.request_for(key, locker)
        proof = certificates.sign(pair, provision.proved(worn.serial, csr)).hex()
        asked = provision.Renewal(locker, worn.serial, csr, proof)
        own = seal.SigningKey.from_seed(bytes.fromhex(_own_seed(shelf, locker)))
        keys = _centre_keys(shelf, hub)
        body = seal.open_frame(hub.post(provision.RENEWAL_PATH, seal.frame(own, asked.body())), keys)
        pem = str(json.loads(body)["certificate"])
        fits = certificates.is_issued_by(pem, shelf.text(names.ROOT)) and certificates.is_for(pem, key)
    except (seal.SealError, ValueError, KeyError, TypeError) as error:
        raise CannotProvision(f"{_DAMAGED} ({error}). It is asked for again tomorrow") from error
    if not fits or certificates.read(pem).name != locker:
        raise CannotProvision(f"{_DAMAGED}. It is asked for again tomorrow")
    shelf.put(names.NEXT, key + pem)


def _centre_keys(shelf: Shelf, hub: Hub) -> Mapping[bytes, bytes]:
    """Those that the locker was provisioned with, and whom these have introduced since. What the daemon was
    told of keys stands in its journal, which is its own."""
    centre = json.loads(shelf.text(names.CENTRE))["centre_sign"]
    keys = dict(seal.keyring(*(seal.key_from_hex(each["public"]) for each in centre)))
    for frame in hub.introductions():
        with contextlib.suppress(seal.SealError, wire.WireError):
            said = wire.decode(wire.CentreKey, seal.open_frame(frame, keys))
            keys |= seal.keyring(seal.key_from_hex(said.public))
    return keys


def _facts(shelf: Shelf, name: str) -> certificates.Facts:
    try:
        return certificates.read(shelf.text(name))
    except BadCertificate as error:
        raise CannotProvision(f"{shelf.folder / name}: {error}. Provision the locker by a claim") from error
