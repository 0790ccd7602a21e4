"""Messages as a phone shows them: template texts by id, in Chinese and English, and the inbox they land in.

An SMS provider knows the texts; who sends hands over a template's id and the variables. A sentence whose
variables did not come is left out, so that a sender with less to say still makes sense.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Any, Final

PHONE: Final = re.compile(r"\+?[0-9]{5,20}")
TEMPLATE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
KEY_LONGEST: Final = 200
VALUE_LONGEST: Final = 2_000
VARIABLES_MOST: Final = 30
MESSAGES_KEPT: Final = 500
KEYS_KEPT: Final = 10_000
FAILURES_MOST: Final = 1_000
APART: Final = frozenset({"typed", "scan"})  # shown large, and as a picture, not within the text

CODE_LENGTH: Final = 11
SENDER: Final = ("【政务文件柜】", "[Document locker] ")

TEXTS: Final[Mapping[str, tuple[str, Sequence[str], Sequence[str]]]] = MappingProxyType(
    {  # id: title, sentences in Chinese, the same in English
        "drop_off_code": (
            "交件码 Drop-off code",
            (
                "您的申请已通过预审。",
                "办件号 {case}。",
                "请把材料放入 {locker}。",
                "地址：{address}。",
                "交件码 {typed}，也可扫码。",
                "请于 {expires} 前交件。",
            ),
            (
                "Your application passed pre-review.",
                "Case {case}.",
                "Hand your papers in at {locker}.",
                "Address: {address}.",
                "Drop-off code {typed}, or scan.",
                "Valid until {expires}.",
            ),
        ),
        "pickup_code": (
            "取件码 Pickup code",
            (
                "您的证照已可领取。",
                "办件号 {case}。",
                "{item} 在 {locker}。",
                "地址：{address}。",
                "取件码 {typed}，也可扫码。",
                "请于 {hold_until} 前领取。",
            ),
            (
                "Your licence is ready.",
                "Case {case}.",
                "{item} lies in {locker}.",
                "Address: {address}.",
                "Pickup code {typed}, or scan.",
                "Held until {hold_until}.",
            ),
        ),
        "receipt": (
            "交件回执 Receipt",
            (
                "已收到您交来的材料。",
                "办件号 {case}。",
                "回执号 {number}。",
                "申报 {count} 份。",
                "时间 {time}。",
                "回执证明已交件，材料以受理清点为准。",
            ),
            (
                "We have what you handed in.",
                "Case {case}.",
                "Receipt {number}.",
                "{count} papers declared.",
                "Time {time}.",
                "It proves the hand-in; contents count as checked at intake.",
            ),
        ),
        "reminder": (
            "取件提醒 Reminder",
            (
                "您还有件未取。",
                "办件号 {case}。",
                "{item} 在 {locker}。",
                "保管至 {hold_until}。",
                "取件码 {typed}。",
            ),
            (
                "Something still waits for you.",
                "Case {case}.",
                "{item} lies in {locker}.",
                "Held until {hold_until}.",
                "Pickup code {typed}.",
            ),
        ),
    }
)


class BadMessageError(ValueError):
    """The message does not fit; the text says which field and why."""


class GatewayDownError(Exception):
    """The gateway fails, as it was asked to: the sender cannot know whether the message will come."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One message as a sender hands it to the gateway."""

    to: str
    template: str
    variables: Mapping[str, str]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it reached a phone. `code` is as sent: digits, not grouped."""

    id: str
    to: str
    template: str
    variables: Mapping[str, str]
    title: str
    text_zh: str
    text_en: str
    code: str | None
    scan: str | None
    at: str
    mono_s: float


def parsed(body: Mapping[str, Any]) -> Submission:
    """Check a body field by field; numbers are taken as their decimal text."""
    if unknown := sorted(set(body) - {"to", "template", "language", "variables", "idempotency_key"}):
        raise BadMessageError(f"unknown field {unknown[0]!r}")
    to = _text(body, "to")
    if not PHONE.fullmatch(to):
        raise BadMessageError("to is a phone number: 5 to 20 digits, a + may lead")
    template = _text(body, "template")
    if not TEMPLATE.fullmatch(template):
        raise BadMessageError("template is a name of small letters, digits and _")
    key = _text(body, "idempotency_key")
    if not 1 <= len(key) <= KEY_LONGEST:
        raise BadMessageError(f"idempotency_key has 1 to {KEY_LONGEST} characters")
    return Submission(to, template, _variables(body.get("variables", {})), key)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadMessageError(f"{name} is missing, or no text")
    return value


def _variables(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or len(value) > VARIABLES_MOST:
        raise BadMessageError(f"variables is an object of at most {VARIABLES_MOST} entries")
    known = {}
    for name, content in value.items():
        if not VARIABLE.fullmatch(name):
            raise BadMessageError(f"variable name {name!r} does not fit")
        if isinstance(content, bool) or not isinstance(content, str | int):
            raise BadMessageError(f"variable {name} is neither text nor a whole number")
        if len(str(content)) > VALUE_LONGEST:
            raise BadMessageError(f"variable {name} is longer than {VALUE_LONGEST} characters")
        known[name] = str(content)
    return known


def rendered(template: str, variables: Mapping[str, str]) -> tuple[str, str, str]:
    """(title, Chinese text, English text); a template nobody knows shows its variables as they are."""
    shown = dict(variables)
    if "typed" in shown:
        shown["typed"] = grouped(shown["typed"])
    title, chinese, english = TEXTS.get(template, (template.replace("_", " "), (), ()))
    used = {name for sentence in chinese for name in _names(sentence)}
    rest = "；".join(f"{name} {text}" for name, text in shown.items() if name not in used | APART)
    if template not in TEXTS and "typed" in shown:
        rest = "；".join(filter(None, (shown["typed"], rest)))
    return (
        title,
        SENDER[0] + "".join(_filled(chinese, shown)) + rest,
        SENDER[1] + " ".join([*_filled(english, shown), *([rest] if rest else [])]),
    )


def grouped(code: str) -> str:
    """An open code as people read it, 3-4-4 like a mobile number; other texts stay as they are."""
    if len(code) == CODE_LENGTH and code.isascii() and code.isdigit():
        return f"{code[:3]} {code[3:7]} {code[7:]}"
    return code


def _names(sentence: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(sentence) if name is not None]


def _filled(sentences: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    return [
        sentence.format_map(variables)
        for sentence in sentences
        if all(name in variables for name in _names(sentence))
    ]


class Inbox:
    """Every phone of the simulated town. An idempotency key delivers once."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=MESSAGES_KEPT)
        self._ids: OrderedDict[str, str] = OrderedDict()
        self._delivered = 0
        self._failing = {"fail_next": 0, "lose_reply_next": 0}

    def deliver(self, wish: Submission, at: str, mono_s: float) -> tuple[str, Message | None]:
        """The message's id, and the message when it is a new one. GatewayDownError as the faults have it."""
        if self._takes("fail_next"):
            raise GatewayDownError("the gateway is down; the message was not accepted")
        known = self._ids.get(wish.idempotency_key)
        if known is not None:
            return known, None
        self._delivered += 1
        message = self._made(wish, at, mono_s)
        self._messages.append(message)
        self._ids[wish.idempotency_key] = message.id
        while len(self._ids) > KEYS_KEPT:
            self._ids.popitem(last=False)
        return message.id, message

    def loses_reply(self) -> bool:
        """Whether the answer to this delivery is to be lost on its way back."""
        return self._takes("lose_reply_next")

    def set_faults(self, wish: Mapping[str, Any]) -> Mapping[str, int]:
        """`fail_next`: so many are refused. `lose_reply_next`: delivered, but answered with 503."""
        for name, count in wish.items():
            if name not in self._failing:
                raise BadMessageError(f"unknown fault {name!r}; known are {', '.join(self._failing)}")
            if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= FAILURES_MOST:
                raise BadMessageError(f"{name} is a whole number between 0 and {FAILURES_MOST}")
        self._failing |= wish
        return dict(self._failing)

    def messages(self, to: str | None = None) -> list[Message]:
        """Oldest first."""
        return [message for message in self._messages if to in (None, message.to)]

    def find(self, message_id: str) -> Message | None:
        return next((message for message in self._messages if message.id == message_id), None)

    def _takes(self, fault: str) -> bool:
        if self._failing[fault] == 0:
            return False
        self._failing[fault] -= 1
        return True

    def _made(self, wish: Submission, at: str, mono_s: float) -> Message:
        title, chinese, english = rendered(wish.template, wish.variables)
        return Message(
            id=f"sms-{self._delivered:06d}",
            to=wish.to,
            template=wish.template,
            variables=wish.variables,
            title=title,
            text_zh=chinese,
            text_en=english,
            code=wish.variables.get("typed"),
            scan=wish.variables.get("scan"),
            at=at,
            mono_s=mono_s,
        )
