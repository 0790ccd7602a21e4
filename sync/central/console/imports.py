"""A file of cases or results: chosen, looked through with what is wrong in which line, then taken."""

import email
from dataclasses import dataclass
from email.policy import HTTP
from typing import Final

from starlette.responses import RedirectResponse, Response

from sync.central.access.gate import NotAllowed
from sync.central.access.matrix import Action
from sync.central.console import forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.desk import Refusal, Refused
from sync.central.imports import reading
from sync.central.imports.doing import Imports, Preview, require
from sync.central.imports.reading import Kind

IMPORTS: Final = f"{ROOT}/imports"


def add(frame: Frame) -> None:
    pages = _Pages(frame, Imports(frame.office))
    frame.add(IMPORTS, Action.IMPORT_CASES, pages.blank)
    frame.add(IMPORTS, Action.IMPORT_CASES, pages.uploaded, "POST")
    frame.add(f"{IMPORTS}/template/{{kind}}", Action.IMPORT_CASES, pages.template)
    frame.add(f"{IMPORTS}/{{upload}}", Action.IMPORT_CASES, pages.preview)
    frame.add(f"{IMPORTS}/{{upload}}", Action.IMPORT_CASES, pages.take, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame
    imports: Imports

    async def blank(self, visit: Visit) -> Response:
        kinds = [kind for kind in Kind if _may(visit, kind)]
        return self.frame.page(visit, "imports.html", {"kinds": kinds, "columns": reading.COLUMNS})

    async def uploaded(self, visit: Visit) -> Response:
        fields = _parts(visit.request.headers.get("content-type", ""), await visit.request.body())
        said = {name: raw.decode("utf-8", "replace") for name, (_, raw) in fields.items() if name != "file"}
        if said.get("form_key") != visit.session.form_key:
            raise forms.BadForm(["form"])
        called, raw = fields.get("file", ("", b""))
        if said.get("kind") not in set(Kind) or not raw or not _may(visit, Kind(said["kind"])):
            raise forms.BadForm(["form"])
        upload = await self.imports.keep(Kind(said["kind"]), raw, called, visit.actor)
        return RedirectResponse(f"{IMPORTS}/{upload}", 303)

    async def template(self, visit: Visit) -> Response:
        kind = visit.request.path_params["kind"]
        if kind not in set(Kind):
            raise Refused(Refusal.UNKNOWN_UPLOAD, "no such template")
        headers = {"Content-Disposition": f'attachment; filename="{kind}.csv"'}
        text = reading.template(Kind(kind))
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    async def preview(self, visit: Visit) -> Response:
        upload = visit.request.path_params["upload"]
        kind, called, raw = await self.imports.kept(upload, visit.actor)
        return self._seen(visit, upload, called, kind, await self.imports.preview(kind, raw, visit.actor))

    async def take(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        upload = visit.request.path_params["upload"]
        kind, called, raw = await self.imports.kept(upload, visit.actor)
        done = await self.imports.take(kind, raw, visit.actor)
        if isinstance(done, Preview):
            return self._seen(visit, upload, called, kind, done)
        if not done.refused:
            await self.imports.forget(upload)
        values = {"done": done, "called": called, "kind": kind, "upload": upload}
        return self.frame.page(visit, "imports_done.html", values)

    def _seen(self, visit: Visit, upload: str, called: str, kind: Kind, seen: Preview) -> Response:
        values = {"upload": upload, "called": called, "kind": kind, "seen": seen}
        return self.frame.page(visit, "imports_preview.html", values)


def _may(visit: Visit, kind: Kind) -> bool:
    try:
        require(visit.actor, kind)
    except NotAllowed:
        return False
    return True


def _parts(content_type: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """The fields of a form with a file, by name: what the file is called, and the bytes. Raises BadForm."""
    if not content_type.startswith("multipart/form-data") or not content_type.isprintable():
        raise forms.BadForm(["form"])
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = email.message_from_bytes(head + body, policy=HTTP)
    found = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", "", header="content-disposition")
        raw = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(raw, bytes):
            found[name] = (part.get_filename() or "", raw)
    return found
