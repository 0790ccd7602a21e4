"""Files of cases and results: read as Excel writes them, wrong ones not begun, right ones taken once."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sync.central import lockers
from sync.central.access.actor import Actor, Role, Scope, person, program
from sync.central.access.gate import NotAllowed
from sync.central.access.tables import AUDIT
from sync.central.custody.parties import Kind as Place
from sync.central.desk import Refused
from sync.central.imports import reading
from sync.central.imports.doing import Done, Imports, Preview
from sync.central.imports.reading import Kind, Problem, Why
from sync.central.imports.tables import TAKEN_LINE, UPLOAD
from sync.central.tables import AUTHORISATION, OUTGOING_ITEM
from sync.central.windows import register
from sync.central.windows.tables import CASE_DEPARTMENT
from tests.sync.central.access import people
from tests.sync.central.access.people import office_of
from tests.sync.central.conftest import Parts

CLERK = person("li", [Role.WINDOW_CLERK], ["north"])
ADMIN = person("boss", [Role.ADMINISTRATOR], ["north"])
HEAD = "办件号,事项,应交材料,容缺材料,箱格尺寸,姓名,手机号,柜机,有效小时"
ROW = "GS-1,营业执照变更,申请书；身份证,,S,张伟,138 1234-5678,hall-1,72"
FILE = f"{HEAD}\r\n{ROW}\r\n\r\nGS-2,注销,,公章,m,李娜,'13900000000,hall-1,\r\n"
ITEMS = (
    "case,service_item,size,name,phone,locker,item,second_factor\nGS-1,执照,L,张伟,13812345678,hall-1,{},是\n"
)


def problems(kind: Kind, text: str | bytes) -> list[Problem]:
    return list(reading.read(kind, text if isinstance(text, bytes) else text.encode()).problems)


def written(parts: Parts, text: str = FILE, kind: Kind = Kind.PRE_REVIEWS) -> tuple[Imports, Kind, bytes]:
    return Imports(office_of(parts)), kind, text.encode()


async def take(parts: Parts, text: str = FILE, kind: Kind = Kind.PRE_REVIEWS, actor: Actor = CLERK) -> Done:
    imports, kind, raw = written(parts, text, kind)
    done = await imports.take(kind, raw, actor)
    assert isinstance(done, Done), done
    return done


@pytest.mark.parametrize(
    "raw",
    [FILE.encode(), FILE.encode("utf-8-sig"), FILE.encode("gb18030"), FILE.replace("\r\n", "\n").encode()],
)
def test_a_file_is_read_however_excel_wrote_it(raw: bytes) -> None:
    found = reading.read(Kind.PRE_REVIEWS, raw)
    assert found.problems == []
    first, second = found.lines
    assert (first.line, second.line) == (2, 4)
    body = first.body.model_dump()
    assert (body["papers"], body["applicant"]["name"]) == (["申请书", "身份证"], "张伟")
    assert body["applicant"]["phone"] == "13812345678"
    assert (second.body.model_dump()["size"], second.body.model_dump()["valid_hours"]) == ("M", 72)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, "", Why.EMPTY)),
        (HEAD, (0, "", Why.EMPTY)),
        (f"{HEAD},备注\n{ROW},x", (1, "", Why.COLUMNS)),
        (f"{HEAD},姓名\n{ROW},x", (1, "", Why.COLUMNS)),
        ("办件号,事项\nGS-1,x", (1, "", Why.COLUMNS)),
        (f"{HEAD}\n{ROW},more", (2, "", Why.COLUMNS)),
        (f'{HEAD}\n{ROW}\n"open', (3, "", Why.NOT_CSV)),
        (f"{HEAD}\n{ROW}\n{ROW}", (3, "", Why.TWICE)),
        (f"{HEAD}\n{ROW}".encode("utf-16"), (0, "", Why.NOT_TEXT)),
        (b"\xff" * 40, (0, "", Why.NOT_TEXT)),
        (HEAD + "\n" + "x" * reading.BYTES_MAX, (0, "", Why.TOO_LARGE)),
        (HEAD + f"\n{ROW}" * 2001, (0, "", Why.TOO_MANY)),
    ],
)
def test_what_is_no_such_file_is_told(text: str | bytes, expected: tuple[int, str, Why]) -> None:
    assert problems(Kind.PRE_REVIEWS, text) == [Problem(*expected)]


@pytest.mark.parametrize(
    ("cell", "wrong", "field"),
    [
        ("GS-1", "GS 1", "case"),
        ("营业执照变更", '"a\nb"', "service_item"),
        ("138 1234-5678", "1.38E+10", "phone"),
        ("138 1234-5678", "", "phone"),
        ("张伟", "", "name"),
        (",S,", ",XL,", "size"),
        ("hall-1", "Hall 1", "locker"),
        (",72", ",0", "valid_hours"),
        (",72", ",soon", "valid_hours"),
    ],
)
def test_each_wrong_cell_is_told_with_its_line(cell: str, wrong: str, field: str) -> None:
    found = problems(Kind.PRE_REVIEWS, f"{HEAD}\n\n{ROW.replace(cell, wrong)}\n{ROW}")
    assert found == [Problem(3, field, "unfit")]


def test_a_template_is_a_file_that_only_lacks_lines() -> None:
    for kind in Kind:
        assert problems(kind, reading.template(kind)) == [Problem(0, "", Why.EMPTY)]
        assert problems(kind, reading.template(kind) + "x")[0].why == "unfit"


async def test_a_case_is_with_the_department_that_its_line_names(parts: Parts) -> None:
    housing = parts.store.write_now(
        lambda c: register.add(c, parts.desk, ADMIN, Place.DEPARTMENT, "north", "住建局")
    )
    cases = {"GS-1": "住建局", "GS-2": "", "GS-3": housing}
    lines = [f"{ROW.replace('GS-1', case)},{department}" for case, department in cases.items()]
    await take(parts, "\n".join([f"{HEAD},经办部门", *lines]))
    with_whom = {row.case_number: row.place for row in parts.rows(CASE_DEPARTMENT)}
    assert with_whom == {"GS-1": housing, "GS-3": housing}
    imports, kind, raw = written(parts, f"{HEAD},经办部门\n{ROW},教育局\n")
    seen = await imports.preview(kind, raw, CLERK)
    assert list(seen.problems) == [Problem(2, "department", "unfit")]


async def test_a_file_is_taken_once_by_whomever(parts: Parts) -> None:
    done = await take(parts)
    assert ([line for line, _ in done.made], done.refused) == ([2, 4], [])
    assert {row.authorisation for row in parts.rows(AUTHORISATION)} == {name for _, name in done.made}
    journal = [row.object for row in parts.rows(AUDIT) if row.action == "import_cases"]
    assert journal == [name for _, name in done.made]
    again = await take(parts, actor=person("wang", [Role.CASE_OFFICER], ["*"]))
    assert again == done
    assert len(parts.rows(AUTHORISATION)) == 2
    kept = " ".join(str(row) for table in (TAKEN_LINE, AUDIT) for row in parts.rows(table))
    assert "13812345678" not in kept
    assert "张" not in kept


async def test_one_wrong_line_and_none_is_taken(parts: Parts) -> None:
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "park-1", "south", "9" * 64))
    imports, kind, raw = written(parts, FILE + ROW.replace("hall-1", "park-1").replace("GS-1", "GS-3"))
    seen = await imports.take(kind, raw, CLERK)
    assert seen == Preview(3, 0, [Problem(5, "locker", Why.LOCKER)])
    assert parts.rows(AUTHORISATION) == []


async def test_what_is_refused_on_the_way_is_told_and_made_later(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.central.cases.codes.CENTRE_LOCATORS", range(1))
    done = await take(parts)
    assert [line for line, _ in done.made] == [2]
    assert done.refused == [Problem(4, "", "no_locator")]
    monkeypatch.undo()
    assert [line for line, _ in (await take(parts)).made] == [2, 4]


async def test_results_are_announced_and_an_item_that_exists_is_told(parts: Parts) -> None:
    await take(parts, ITEMS.format("lic-1"), Kind.OUTGOING)
    (row,) = parts.rows(OUTGOING_ITEM)
    assert (row.item, row.second_factor, row.size) == ("lic-1", True, "L")
    assert [line for line, _ in (await take(parts, ITEMS.format("lic-1"), Kind.OUTGOING)).made] == [2]
    other = (
        ITEMS.format("lic-2") + "GS-2,执照,L,李娜,13812345678,hall-1,lic-1,\nGS-3,x,,y,1234567,hall-1,lic-2,"
    )
    imports, kind, raw = written(parts, other, Kind.OUTGOING)
    seen = await imports.preview(kind, raw, CLERK)
    assert seen.problems == [Problem(3, "item", Why.EXISTS), Problem(4, "item", Why.TWICE)]


async def test_who_may_not_do_what_a_line_does_may_not_import_it(parts: Parts) -> None:
    imports, kind, raw = written(parts, ITEMS.format("lic-1"), Kind.OUTGOING)
    with pytest.raises(NotAllowed):
        await imports.take(kind, raw, program("p", [Scope.CASES_WRITE], ["*"]))
    assert parts.rows(OUTGOING_ITEM) == []


async def test_an_upload_waits_sealed_for_its_own_person_and_a_day(parts: Parts) -> None:
    imports, kind, raw = written(parts)
    upload = await imports.keep(kind, raw, "x.csv", CLERK)
    assert "13812345678" not in str(parts.rows(UPLOAD))
    assert await imports.kept(upload, CLERK) == (kind, "x.csv", raw)
    for name, actor in ((upload, person("wang", [Role.WINDOW_CLERK], ["*"])), ("none", CLERK)):
        with pytest.raises(Refused):
            await imports.kept(name, actor)
    parts.clock.now_ms += 25 * 3_600_000
    with pytest.raises(Refused):
        await imports.kept(upload, CLERK)
    await imports.keep(kind, raw, "y.csv", CLERK)
    assert [row.called for row in parts.rows(UPLOAD)] == ["y.csv"]


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with people.browser(people.whole(parts, people.entrance(parts))) as client:
        key = people.key(parts, "city", [Scope.CASES_WRITE], ["north"])
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


async def test_programs_check_and_take_by_the_api(client: httpx.AsyncClient, parts: Parts) -> None:
    path, kind = "/api/v1/imports", {"kind": "pre_reviews"}
    wrong = await client.post(path, params=kind, content=FILE.replace("GS-2", "?").encode())
    assert (wrong.status_code, wrong.json()["errors"]) == (422, [{"where": "line 4 case", "why": "unfit"}])
    looked = await client.post(path, params={**kind, "check": "true"}, content=FILE.encode())
    assert looked.json() == {"lines": 2, "made": [], "problems": []}
    assert parts.rows(AUTHORISATION) == []
    made = (await client.post(path, params=kind, content=FILE.encode())).json()
    assert ([line["line"] for line in made["made"]], made["problems"]) == ([2, 4], [])
    assert (await client.post(path, params={"kind": "outgoing"}, content=b"x")).status_code == 403
    assert (await client.post(path, params=kind, content=b"x" * (2 << 20))).status_code == 413
    assert (await client.post("/api/v1/pre-reviews", content=b"x" * (1 << 17))).status_code == 413
