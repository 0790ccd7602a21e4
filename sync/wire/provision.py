"""How a locker comes to its identity: claim, request, answer. Words only: signing is done elsewhere.

- A *claim* is a secret of 100 bits. Its digest is the seed of an Ed25519 key: the hub keeps the public half
  alone, and nobody who reads the hub's database, or a request on its way, can make a request himself.
- A *request* is a frame (`sync.seal`) by that key: the locker's own public key and its consent, a request
  for a certificate, and a public key for which the answer is to be sealed. Nothing in it is secret.
- An *answer* is a frame by the centre's key around a sealed text: it may be carried by anybody.
- Claim, hub and authority belong together by the *pin*: of the root certificate and the centre's key.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from locker.domain.encoding import canonical

VERSION: Final = 1
CLAIM: Final = "doclocker-claim"
REQUEST: Final = "doclocker-request"
RENEWAL: Final = "doclocker-renewal"
ANSWER: Final = "doclocker-answer"
TRUST_PATH: Final = "/api/v1/provision/trust"
CLAIM_PATH: Final = "/api/v1/provision/claim"
RENEWAL_PATH: Final = "/api/v1/provision/renewal"
BODY_BYTES_MAX: Final = 512 * 1024
"""Of an answer: a plan of a thousand doors is a tenth of it."""

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret  # what digits are of
"""Five bits a sign; none that looks like another. Read as well: O for 0, I and L for 1, small letters."""
SECRET_SIGNS: Final = 20
PIN_SIGNS: Final = 18
CHECK_SIGNS: Final = 2
CODE_SIGNS: Final = SECRET_SIGNS + PIN_SIGNS + CHECK_SIGNS
GROUP: Final = 4
_SEED: Final = b"doclocker/claim-key/1\n"
_PIN: Final = b"doclocker/claim-pin/1\n"
_CHECK: Final = b"doclocker/claim-check/1\n"
_CONSENT: Final = b"doclocker/claim-consent/1\n"
_OLD_KEY: Final = b"doclocker/renewal/1\n"
_BITS: Final = 5


class BadProvision(ValueError):
    """A claim, request or answer that does not fit. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a locker believes: the authority's root, and the centre's signing key in hex."""

    root: str
    centre: str

    def pin(self, fingerprint: bytes) -> str:
        """As it stands in a code. ``fingerprint``: SHA-256 of the root."""
        return signs(_sha(_PIN, fingerprint, self.centre.encode()), PIN_SIGNS)


@dataclass(frozen=True, slots=True)
class Claim:
    """As it lies in a file. What the hub keeps of it: its public half, until when."""

    locker: str
    hub: str
    secret: str = field(repr=False)
    trust: Trust

    @property
    def seed(self) -> bytes:
        return seed_of(self.secret)

    def text(self) -> str:
        body = {"locker": self.locker, "hub": self.hub, "secret": self.secret}
        trust = {"root": self.trust.root, "centre": self.trust.centre}
        return _written(CLAIM, {**body, **trust})


@dataclass(frozen=True, slots=True)
class Request:
    """A locker's first. ``own``: its Ed25519 key, ``seal``: X25519 for the answer, both public, in hex."""

    locker: str
    own: str
    seal: str
    csr: str
    consent: str
    """Signed by ``own`` over the rest: whoever holds a claim cannot enrol somebody else's key."""

    def body(self) -> bytes:
        return _body(REQUEST, self.fields())

    def fields(self) -> dict[str, str]:
        return {**_agreed(self.locker, self.own, self.seal, self.csr), "consent": self.consent}

    @property
    def consented(self) -> bytes:
        return consented(self.locker, self.own, self.seal, self.csr)


@dataclass(frozen=True, slots=True)
class Renewal:
    """A frame by the locker's own key. ``proof``: by the key of the certificate that is worn."""

    locker: str
    serial: str
    csr: str
    proof: str

    def body(self) -> bytes:
        return _body(
            RENEWAL, {"locker": self.locker, "serial": self.serial, "csr": self.csr, "proof": self.proof}
        )

    @property
    def proved(self) -> bytes:
        return proved(self.serial, self.csr)


def consented(locker: str, own: str, seal: str, csr: str) -> bytes:
    """What the locker's own key signs."""
    return _CONSENT + canonical(_agreed(locker, own, seal, csr)).encode()


def _agreed(locker: str, own: str, seal: str, csr: str) -> dict[str, str]:
    return {"locker": locker, "own": own, "seal": seal, "csr": csr}


def proved(serial: str, csr: str) -> bytes:
    """What the key of the old certificate signs."""
    return _OLD_KEY + canonical({"serial": serial, "csr": csr}).encode()


# --- reading ---------------------------------------------------------------------------------------------


def read_claim(text: str) -> Claim:
    """Raises BadProvision."""
    values = _texts(_read(CLAIM, text), "locker", "hub", "secret", "root", "centre")
    if len(values["secret"]) != SECRET_SIGNS or set(values["secret"]) - set(ALPHABET):
        raise BadProvision("its secret is damaged; have another claim made")
    trust = Trust(values["root"], values["centre"])
    return Claim(values["locker"], values["hub"], values["secret"], trust)


def read_request(body: bytes) -> Request:
    """Raises BadProvision."""
    return Request(**_texts(_read(REQUEST, body), "locker", "own", "seal", "csr", "consent"))


def read_renewal(body: bytes) -> Renewal:
    """Raises BadProvision."""
    return Renewal(**_texts(_read(RENEWAL, body), "locker", "serial", "csr", "proof"))


def answer(values: Mapping[str, Any]) -> str:
    """What is sealed for the locker."""
    return _written(ANSWER, values)


def read_answer(text: str) -> Mapping[str, Any]:
    """Raises BadProvision."""
    return _read(ANSWER, text)


def texts_of(values: Mapping[str, Any], *names: str) -> dict[str, str]:
    """Raises BadProvision where one is missing or no text."""
    return _texts(values, *names)


# --- codes -----------------------------------------------------------------------------------------------


def seed_of(secret: str) -> bytes:
    return _sha(_SEED, secret.encode())


def secret_from(random: bytes) -> str:
    """``random``: at least 13 unpredictable bytes."""
    return signs(random, SECRET_SIGNS)


def code(secret: str, pin: str) -> str:
    """To be typed: ten groups of four."""
    plain = secret + pin
    plain += _check(plain)
    return "-".join(plain[n : n + GROUP] for n in range(0, CODE_SIGNS, GROUP))


def read_code(typed: str) -> tuple[str, str]:
    """Secret and pin. Raises BadProvision for a slip of the finger."""
    plain = "".join(each for each in typed.upper() if not each.isspace() and each != "-")
    plain = plain.translate(str.maketrans("OIL", "011"))
    if len(plain) != CODE_SIGNS:
        raise BadProvision(f"the code has {CODE_SIGNS} signs, not {len(plain)}: type it again")
    if set(plain) - set(ALPHABET) or _check(plain[:-CHECK_SIGNS]) != plain[-CHECK_SIGNS:]:
        raise BadProvision("the code holds a slip: type it again")
    return plain[:SECRET_SIGNS], plain[SECRET_SIGNS:-CHECK_SIGNS]


def signs(raw: bytes, count: int) -> str:
    """The first ``count`` × 5 bits."""
    number = int.from_bytes(raw) >> (len(raw) * 8 - count * _BITS)
    return "".join(ALPHABET[number >> _BITS * n & 31] for n in reversed(range(count)))


def _check(plain: str) -> str:
    return signs(_sha(_CHECK, plain.encode()), CHECK_SIGNS)


def _sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


# --- bodies ----------------------------------------------------------------------------------------------


def _written(kind: str, values: Mapping[str, Any]) -> str:
    return json.dumps({"v": VERSION, "kind": kind, **values}, indent=2, ensure_ascii=False) + "\n"


def _body(kind: str, values: Mapping[str, Any]) -> bytes:
    return canonical({"v": VERSION, "kind": kind, **values}).encode()


def _read(kind: str, text: str | bytes) -> Mapping[str, Any]:
    if len(text) > BODY_BYTES_MAX:
        raise BadProvision(f"at most {BODY_BYTES_MAX} bytes were expected")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadProvision(f"no {kind}: {error}") from error
    if not isinstance(values, dict) or values.get("kind") != kind:
        raise BadProvision(f"no {kind}: another file was expected")
    if values.get("v") != VERSION:
        raise BadProvision(f"a {kind} of another version: update the software")
    return values


def _texts(values: Mapping[str, Any], *names: str) -> dict[str, str]:
    found = {name: values.get(name) for name in names}
    wrong = [name for name, value in found.items() if not isinstance(value, str)]
    if wrong:
        raise BadProvision(f"{', '.join(wrong)}: a text was expected")
    return {name: str(value) for name, value in found.items()}
