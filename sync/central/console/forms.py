"""Forms as browsers send them, and what the API's own models say of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)
FIELDS_MAX: Final = 300


class BadForm(Exception):
    """Which fields do not fit; never what stood in them."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


def fields(body: bytes) -> dict[str, list[str]]:
    """Raises BadForm."""
    try:
        text = body.decode("ascii")
        return parse_qs(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise BadForm(["form"]) from error


def one(form: Mapping[str, list[str]], name: str) -> str:
    return form.get(name, [""])[0].strip()


def lines(form: Mapping[str, list[str]], name: str) -> list[str]:
    return [line.strip() for line in one(form, name).splitlines() if line.strip()]


def number(form: Mapping[str, list[str]], name: str) -> int | str:
    """A whole number; the text itself where it is none, for the model to refuse."""
    text = one(form, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text  # noqa: PLR2004  # any int32


def read(model: type[M], values: Mapping[str, Any]) -> M:
    """Raises BadForm."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        # A person's fields stand one level down, a list's lines by their number: people know the field.
        places = [[part for part in found["loc"] if isinstance(part, str)] for found in error.errors()]
        raise BadForm(list(dict.fromkeys(place[-1] for place in places))) from error
