"""Every route asked as its own OpenAPI document allows, and what may be wrong with an answer."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis import GenerationMode
from schemathesis.core import NotSet
from starlette.applications import Starlette

from sync.central.access.actor import Role
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts

SERVER_ERROR: Final = 500
REFUSED: Final = 400
PROBLEM: Final = "application/problem+json"
ALLOWED: Final = (GenerationMode.POSITIVE,)
KNOWN: Final = {"locker": "hall-1", "case": "GS-1", "door": 1, "number": 1}
"""What is there: every other time it is asked for, so that routes come further than "not found"."""
SKIPPED: Final = frozenset({"/metrics", "/healthz", "/readyz"})
"""Not of the API: they answer to machines that read no document."""


@dataclass(frozen=True)
class Asked:
    """Who asks, and how."""

    runner: asyncio.Runner
    client: httpx.AsyncClient
    document: dict[str, Any]

    def ask(self, case: Any) -> httpx.Response:
        query = urlencode(case.query or {}, doseq=True, errors="surrogatepass")
        body, given_body = None, not isinstance(case.body, NotSet)
        if given_body:
            body = _encoded(case.body, str(case.media_type or ""))
        said = {str(name): str(value) for name, value in (case.headers or {}).items()}
        headers = [(name.encode(), value.encode("utf-8", "surrogatepass")) for name, value in said.items()]
        if given_body:
            headers.append((b"Content-Type", str(case.media_type or "application/json").encode()))
        url = f"{case.formatted_path}?{query}" if query else case.formatted_path
        request = self.client.build_request(case.method, url, content=body, headers=headers)
        return self.runner.run(self.client.send(request))


def _encoded(body: Any, media_type: str) -> bytes:
    if isinstance(body, bytes):
        return body
    text = body if isinstance(body, str) and "json" not in media_type else json.dumps(body)
    return text.encode("utf-8", "surrogatepass")


def every(
    parts: Parts, app: Starlette, examples: int, seed: int, modes: Sequence[GenerationMode] = ALLOWED
) -> tuple[int, list[str]]:
    """How many operations were asked, and what was wrong: the first of each kind for each operation."""
    with asyncio.Runner() as runner:
        client = runner.run(_signed_in(parts, app))
        document = runner.run(client.get("/api/v1/openapi.json")).json()
        asked = Asked(runner, client, document)
        schema = schemathesis.openapi.from_dict(document)
        problems: dict[str, str] = {}
        asked_of = 0
        for result in schema.get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]  # our own document can be read
            if operation.path in SKIPPED:
                continue
            asked_of += 1
            for mode in modes:
                strategy = operation.as_strategy(generation_mode=mode)
                _run(_checked(asked, operation, problems), strategy, examples, seed)
        runner.run(client.aclose())
    return asked_of, sorted(problems.values())


def _checked(asked: Asked, operation: Any, problems: dict[str, str]) -> Callable[[Any], None]:
    where, times = f"{operation.method.upper()} {operation.path}", count()

    def check(case: Any) -> None:
        if next(times) % 2:
            known = {name: value for name, value in KNOWN.items() if name in (case.path_parameters or {})}
            case.path_parameters.update(known)
        answer = asked.ask(case)
        for wrong in _wrong(operation, answer):
            said = f"{where}: {wrong}: {case.formatted_path} {case.query} {case.body!r}"
            problems.setdefault(f"{where} {wrong}", said[:400])

    return check


def _run(check: Callable[[Any], None], strategy: Any, examples: int, seed: int) -> None:
    given_one = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(given(strategy)(check))  # type: ignore[no-untyped-call]  # it is not typed
    one: Any = seeded(seed)(given_one)
    one()


def _wrong(operation: Any, answer: httpx.Response) -> list[str]:
    told = operation.definition.raw["responses"]
    status, kind = answer.status_code, answer.headers.get("content-type", "").partition(";")[0]
    if status >= SERVER_ERROR:
        return [f"status {status}"]
    if str(status) not in told:
        return [f"status {status} is not described"]
    content = told[str(status)].get("content", {})
    if status >= REFUSED and kind != PROBLEM:
        return [f"{status} as {kind!r} instead of {PROBLEM}"]
    if answer.content and kind not in content:
        return [f"{status} as {kind!r} is not described"]
    return []


async def _signed_in(parts: Parts, app: Starlette) -> httpx.AsyncClient:
    people.add(parts, "operator", set(Role) - {Role.INTEGRATOR})
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(
        transport=transport, base_url=people.HUB_URL, headers={"Origin": people.HUB_URL}
    )
    await people.sign_in(client, "operator")
    return client
