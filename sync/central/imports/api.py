"""Files of cases and results under `/api/v1`: for systems that can write a file and nothing else."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse

from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.guard import problem
from sync.central.imports.doing import Imports, Preview
from sync.central.imports.reading import Kind, Problem

_BODY = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


class LineOut(BaseModel):
    line: int
    reference: str


class ProblemOut(BaseModel):
    line: int
    """0: the file."""
    field: str
    why: str


class ImportOut(BaseModel):
    lines: int
    made: list[LineOut]
    """By an earlier time as well: the same file again makes nothing twice."""
    problems: list[ProblemOut]


def add(app: FastAPI, imports: Imports, gate: Gate) -> None:
    api = APIRouter(prefix="/api/v1")
    allowed = Depends(gate.allowed(Action.IMPORT_CASES))

    @api.post("/imports", openapi_extra=_BODY, response_model=ImportOut)
    async def taken(
        request: Request,
        kind: Kind,
        actor: Annotated[Actor, allowed],
        check: Annotated[bool, Query()] = False,  # a query's parameter
    ) -> ImportOut | JSONResponse:
        """A CSV of at most 2,000 lines and 1 MiB; ``check`` only looks. One wrong line, and none is taken."""
        raw = await request.body()
        if check:
            seen = await imports.preview(kind, raw, actor)
            return ImportOut(lines=seen.lines, made=[], problems=list(map(_problem, seen.problems)))
        done = await imports.take(kind, raw, actor)
        if isinstance(done, Preview):
            errors = [{"where": f"line {p.line} {p.field}".strip(), "why": p.why} for p in done.problems]
            return problem(422, "invalid", "lines do not fit; nothing was taken", errors)
        made = [LineOut(line=line, reference=reference) for line, reference in done.made]
        problems = list(map(_problem, done.refused))
        return ImportOut(lines=len(made) + len(problems), made=made, problems=problems)

    app.include_router(api)


def _problem(found: Problem) -> ProblemOut:
    return ProblemOut(line=found.line, field=found.field, why=found.why)
