"""docs/asyncapi.yaml, made from the words of the wire: ``python -m tests.sync.asyncapi`` writes it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from locker.domain import directives, entry
from locker.domain.events import TYPES
from sync import wire
from sync.wire.fields import wire_name

FILE: Final = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
WIRE: Final = FILE.with_name("wire.md")
_MAX: Final = {"string": "maxLength", "array": "maxItems", "object": "maxProperties"}


def document() -> dict[str, Any]:
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for (way, name), kind in wire.PAYLOADS.items():
        key = f"{way}_{name}"
        channels[key] = channel(f"doclocker/v{wire.VERSION}/{{locker}}/{way}/{name}", wire.KINDS[kind])
        channels[key]["parameters"] = {
            "locker": {"description": "[a-z0-9-]{1,32}; also client id and user name"}
        }
        operations[key] = operation(
            key, wire.DELIVERIES[way, name], "locker" if way is wire.Way.UP else "centre"
        )
    channels["central_link"] = channel(wire.CENTRAL_LINK, wire.KINDS[wire.CentralLink])
    operations["central_link"] = operation("central_link", wire.CENTRAL_LINK_DELIVERY, "centre")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "DocLocker wire contract",
            "version": f"{wire.VERSION}.0.0",
            "description": "Rules, frames and hashes: wire.md. Every payload is the body of a signed frame.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/octet-stream",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {wire.KINDS[kind]: message(kind) for kind in wire.KINDS},
            # What the texts in `entries` hold, by their `type`.
            "schemas": {name: entry_of(kind) for name, kind in sorted(TYPES.items())}
            | {
                f"{name}.personal": personal_of(kind)
                for name, kind in sorted(TYPES.items())
                if personals(kind)
            }
            | {f"{name}.said": said_of(kind) for name, kind in sorted(directives.KINDS.items())},
        },
    }


def channel(address: str, kind: str) -> dict[str, Any]:
    return {"address": address, "messages": {kind: {"$ref": f"#/components/messages/{kind}"}}}


def rules_of(key: str) -> str:
    """The numbers of the rules that name a topic."""
    topic = key.replace("_", "/", 1) if key != "central_link" else "_central/link"
    text = WIRE.read_text()
    found = re.findall(r"^- \*\*((?:LKR|CEN)-\d+)\*\*(.*?)(?=^- |^#|\Z)", text, re.DOTALL | re.MULTILINE)
    named = [rule for rule, body in found if re.search(rf"\b{topic}\b", body)]
    return ", ".join(sorted(named, key=lambda rule: (rule[:3], int(rule[4:]))))


def operation(key: str, how: wire.Delivery, writer: str) -> dict[str, Any]:
    rules = rules_of(key)
    mqtt: dict[str, Any] = {"qos": how.qos, "retain": how.retain}
    if how.expiry_s is not None:
        mqtt["messageExpiryInterval"] = how.expiry_s
    return {
        "action": "send",
        "summary": f"Written by the {writer}." + (f" Rules that name it: {rules}." if rules else ""),
        "channel": {"$ref": f"#/channels/{key}"},
        "bindings": {"mqtt": mqtt},
    }


def message(kind: type[Any]) -> dict[str, Any]:
    schema = schema_of(kind)
    schema["properties"] = {
        "v": {"const": wire.VERSION},
        "kind": {"const": wire.KINDS[kind]},
    } | schema["properties"]
    schema["required"] = ["v", "kind", *schema["required"]]
    return {"summary": re.sub(r"\s+", " ", (kind.__doc__ or "").split("\n\n")[0]).strip(), "payload": schema}


def schema_of(kind: Any) -> dict[str, Any]:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        schema = schema_of(args[0])
        for word, value in args[1].schema:
            schema[_MAX[schema["type"]] if word == "max" else word] = value
        return schema
    if origin is UnionType:
        return {"oneOf": [schema_of(choice) for choice in args]}
    if origin is tuple:
        return {"type": "array", "items": schema_of(args[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": schema_of(args[1])}
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        properties = {wire_name(f.name): schema_of(hints[f.name]) for f in fields(kind)}
        return {"type": "object", "required": list(properties), "properties": properties}
    return {"type": {str: "string", int: "integer", bool: "boolean", NoneType: "null"}[kind]}


def entry_of(kind: type[Any]) -> dict[str, Any]:
    """The public text of a journal entry."""
    data = {f.name: domain_schema(hint) for f, hint in hinted(kind) if not f.metadata.get("personal")}
    properties: dict[str, Any] = {
        "v": {"const": entry.VERSION},
        "type": {"const": kind.__name__},
        "seq": {"type": "integer", "minimum": 1},
        "boot": {"type": "integer"},
        "mono": {"type": "integer"},
        "time": {"type": "integer"},
        "tq": {"enum": ["ntp", "centre", "rtc", "restored", "unset"]},
        "subject": {"type": "string"},
        "cause": {"type": "string"},
        "data": exactly(data, list(data)),
    }
    return exactly(properties, list(properties))


def personal_of(kind: type[Any]) -> dict[str, Any]:
    """The personal text beside it; what is empty is left out."""
    return exactly({name: {"type": "string", "minLength": 1} for name in personals(kind)}, [])


def said_of(kind: type[Any]) -> dict[str, Any]:
    """The text of a state entry."""
    data = {f.name: domain_schema(hint) for f, hint in hinted(kind)}
    required = [name for name in data if name not in personals(kind)]
    properties = {
        "v": {"const": directives.VERSION},
        "seq": {"type": "integer", "minimum": 1},
        "type": {"const": kind.__name__},
        "data": exactly(data, required),
    }
    return exactly(properties, list(properties))


def exactly(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def personals(kind: type[Any]) -> list[str]:
    return [f.name for f in fields(kind) if f.metadata.get("personal")]


def hinted(kind: Any) -> list[tuple[Any, Any]]:
    hints = get_type_hints(kind)
    return [(f, hints[f.name]) for f in fields(kind)]


def domain_schema(kind: Any) -> dict[str, Any]:
    """Of a field of a fact, as `locker.domain.encoding` writes it."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (tuple, frozenset):
        unique = {"uniqueItems": True} if origin is frozenset else {}
        return {"type": "array", "items": domain_schema(args[0])} | unique
    if origin is UnionType:
        return {"oneOf": [domain_schema(choice) for choice in args]}
    kind = getattr(kind, "__supertype__", kind)
    if is_dataclass(kind):
        parts = {f.name: domain_schema(hint) for f, hint in hinted(kind)}
        return exactly(parts, list(parts))
    if issubclass(kind, Enum):
        return {"enum": [each.value for each in kind]}
    return {"type": {str: "string", int: "integer", bool: "boolean"}[kind]}


def rendered() -> str:
    return "\n".join(lines(document(), 0)) + "\n"


def lines(value: Any, depth: int) -> Iterator[str]:
    """YAML: nested objects in blocks, a line a schema of a fact, all else as JSON, which is YAML too."""
    for key, item in value.items():
        name = key if re.fullmatch(r"\w+", key) else json.dumps(key)
        if name == "schemas":
            yield f"{'  ' * depth}{name}:"
            yield from (
                f"{'  ' * (depth + 1)}{json.dumps(of)}: {json.dumps(each)}" for of, each in item.items()
            )
        elif isinstance(item, dict) and any(isinstance(inner, dict) for inner in item.values()):
            yield f"{'  ' * depth}{name}:"
            yield from lines(item, depth + 1)
        else:
            yield f"{'  ' * depth}{name}: {json.dumps(item, ensure_ascii=False)}"


if __name__ == "__main__":
    FILE.write_text(rendered())
