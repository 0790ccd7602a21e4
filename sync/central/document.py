"""What the OpenAPI document says of refusals: in one place for all routes, as problem details."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from sync.central.guard import PROBLEM_TYPE

ROOT: Final = "/api/v1"
ALWAYS: Final = (401, 403, 404, 422, 429)
"""Of every route: not known, not allowed, not there, does not fit, too often. Bodies and queries name lockers
and cases too."""
WITH_A_BODY: Final = frozenset({"post", "put", "patch", "delete"})
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `reason` is for programs, `detail` tells a person what to do.",
    "required": ["type", "title", "status", "reason", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "reason": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "why": {"type": "string"}},
            },
        },
    },
}
_REF: Final = {"$ref": "#/components/schemas/Problem"}


def complete(app: FastAPI) -> None:
    """To be called when every route is there; the document is made at its first asking."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            made.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
            for method, operation in _operations(made):
                for status in _refusals(method):
                    operation["responses"][str(status)] = _refusal(status)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to say another


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        if path.startswith(ROOT):
            yield from methods.items()


def _refusals(method: str) -> list[int]:
    found = list(ALWAYS)
    if method in WITH_A_BODY:
        found += [400, 409, 413]
    return sorted(found)


def _refusal(status: int) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": {PROBLEM_TYPE: {"schema": _REF}}}
