"""What libraries work out of the same words is worked out once a process: hundreds of tests build the whole
hub anew, and that would be most of their time. Nothing of a test is in what is kept."""

from types import CodeType
from typing import Any, Final

import jinja2
import pydantic
from fastapi._compat import v2

_adapters: Final[dict[tuple[str, str], pydantic.TypeAdapter[Any]]] = {}
_templates: Final[dict[tuple[Any, ...], str | CodeType]] = {}
_compiled: Final[Any] = jinja2.Environment.compile


def _adapter(kind: Any, *, config: Any = None) -> pydantic.TypeAdapter[Any]:
    """Of what a route takes or gives, known by its words: it cannot be hashed."""
    key = (repr(kind), repr(config))
    if key not in _adapters:
        _adapters[key] = pydantic.TypeAdapter(kind, config=config)
    return _adapters[key]


def _template(environment: jinja2.Environment, source: Any, *more: Any, **named: Any) -> Any:
    blocks = (environment.trim_blocks, environment.lstrip_blocks, repr(environment.autoescape))
    key = (source, *more, *sorted(named.items()), *blocks, *sorted(environment.filters))
    if key not in _templates:
        _templates[key] = _compiled(environment, source, *more, **named)
    return _templates[key]


def install() -> None:
    """For this process."""
    setattr(v2, "TypeAdapter", _adapter)  # noqa: B010  # the module does not export the name
    setattr(jinja2.Environment, "compile", _template)  # noqa: B010  # overloaded, which ours is not
