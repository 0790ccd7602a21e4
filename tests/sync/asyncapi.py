"""docs/asyncapi.yaml, made from the words of the wire: ``python -m tests.sync.asyncapi`` writes it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from sync import wire
from sync.wire.fields import wire_name

FILE: Final = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
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
        "components": {"messages": {wire.KINDS[kind]: message(kind) for kind in wire.KINDS}},
    }


def channel(address: str, kind: str) -> dict[str, Any]:
    return {"address": address, "messages": {kind: {"$ref": f"#/components/messages/{kind}"}}}


def operation(key: str, how: wire.Delivery, writer: str) -> dict[str, Any]:
    mqtt: dict[str, Any] = {"qos": how.qos, "retain": how.retain}
    if how.expiry_s is not None:
        mqtt["messageExpiryInterval"] = how.expiry_s
    return {
        "action": "send",
        "summary": f"Written by the {writer}.",
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


def rendered() -> str:
    return "\n".join(lines(document(), 0)) + "\n"


def lines(value: Any, depth: int) -> Iterator[str]:
    """YAML of plain values: nested objects in blocks, all else as JSON, which is YAML too."""
    for key, item in value.items():
        name = key if re.fullmatch(r"\w+", key) else json.dumps(key)
        if isinstance(item, dict) and any(isinstance(inner, dict) for inner in item.values()):
            yield f"{'  ' * depth}{name}:"
            yield from lines(item, depth + 1)
        else:
            yield f"{'  ' * depth}{name}: {json.dumps(item, ensure_ascii=False)}"


if __name__ == "__main__":
    FILE.write_text(rendered())
