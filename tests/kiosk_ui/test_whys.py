"""Every reason that the boards' side can give has its words in each language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import firmware_bridge
from firmware_bridge.errors import PortError
from kiosk_ui.texts import LANGUAGES, load
from kiosk_ui.whys import why

FIGURE = re.compile(r"0x\d+|\d+")
GIVING = {"Unfit", "unfit", "give_up", "port_lost"}
SAMPLES = {
    "list(stuck)": "[1, 2]",
    "driven": "[1, 2]",
    "code": "2",
    "data.code": "2",
    "value": "100",
    "identity.address": "0x8000",
    "identity.minimum": "200",
    "modes.address": "0x1000",
    "modes.normal": "0",
}
OF_PORTS = [
    str(PortError("/dev/ttyUSB0", FileNotFoundError(2, "No such file or directory"))),
    str(OSError(5, "Input/output error")),
    "the port hung up",
]


def written() -> Iterator[str]:
    """As the source has them, with made-up figures."""
    for path in sorted(Path(firmware_bridge.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in GIVING:
                match node.args:
                    case [ast.Constant(str(text)), *_]:
                        yield text
                    case [ast.JoinedStr(parts), *_]:
                        yield "".join(map(sample, parts))


def sample(part: ast.expr) -> str:
    if isinstance(part, ast.FormattedValue):
        return SAMPLES[ast.unparse(part.value)]
    assert isinstance(part, ast.Constant)
    return str(part.value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_reason_of_the_source_is_said_with_its_figures(language: str) -> None:
    found = [*written(), *OF_PORTS]
    assert len(found) >= 10
    for text in found:
        said = why(text, load(language))
        assert "{" not in said
        assert language == "en" or re.search(r"[\u4e00-\u9fff]", said), text
        assert text in OF_PORTS or FIGURE.findall(said) == FIGURE.findall(text)


def test_what_a_person_wrote_is_shown_as_they_wrote_it() -> None:
    assert why("smells of paint", load("zh")) == "smells of paint"
    assert why("no answer", load("zh")) == "没有应答"
