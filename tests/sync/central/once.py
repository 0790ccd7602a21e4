"""What libraries work out of the same words is worked out once a process: hundreds of tests build the whole
hub anew, and that would be most of their time. Nothing of a test is in what is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import CodeType
from typing import Any, Final, get_args

import jinja2
import pydantic
from fastapi import params, routing
from fastapi._compat import v2
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from httpx._transports import default as transports

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


# --- what a route asks for ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """What FastAPI read in the signature of a function that is made anew with every hub."""

    kinds: Mapping[str, Any]
    defaults: tuple[Any, ...]
    asks: Dependant


_known: Final[dict[tuple[CodeType, str, str], _Known]] = {}


def _dependant(*, path: str, call: Callable[..., Any], **more: Any) -> Dependant:
    """The same code at the same path asks for the same; who answers is of this hub."""
    asked = call if hasattr(call, "__code__") else type(call).__call__
    code = getattr(asked, "__code__", None)
    if code is None:
        return get_dependant(path=path, call=call, **more)
    key = (code, path, repr(more))
    kinds, defaults = asked.__annotations__, (asked.__defaults__, asked.__kwdefaults__)
    known = _known.get(key)
    if known is None or known.defaults != defaults or not _same(known.kinds, kinds):
        fresh = get_dependant(path=path, call=call, **more)
        _known[key] = _Known(kinds, defaults, fresh)
        return replace(fresh, dependencies=list(fresh.dependencies))
    answering = [_answering(each, _asked(kinds[each.name or ""]), path) for each in known.asks.dependencies]
    return replace(known.asks, call=call, dependencies=answering)


def _answering(known: Dependant, asked: params.Depends | None, path: str) -> Dependant:
    assert asked is not None
    assert asked.dependency is not None
    return _dependant(
        path=path,
        call=asked.dependency,
        name=known.name,
        own_oauth_scopes=known.own_oauth_scopes,
        parent_oauth_scopes=known.parent_oauth_scopes,
        use_cache=asked.use_cache,
        scope=asked.scope,
        concurrency=known.concurrency,
    )


def _asked(kind: Any) -> params.Depends | None:
    """``Annotated[Actor, Depends(…)]``: what it depends on."""
    return next((each for each in get_args(kind) if isinstance(each, params.Depends)), None)


def _same(known: Mapping[str, Any], kinds: Mapping[str, Any]) -> bool:
    return known.keys() == kinds.keys() and all(
        kind is known[name]
        or (_asked(kind) is not None and _asked(known[name]) is not None)
        or repr(kind) == repr(known[name])
        for name, kind in kinds.items()
    )


# --- whom a client trusts -----------------------------------------------------------------------------------

_made: Final[Any] = getattr(transports, "create_ssl_context")  # noqa: B009  # the module does not export it
_usual: Final = cache(_made)


def _context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
    """Reading a hundred and more root certificates takes as long as a test does."""
    if verify is True and cert is None:
        return _usual(verify=True, trust_env=trust_env)
    return _made(verify=verify, cert=cert, trust_env=trust_env)


# --- a route ------------------------------------------------------------------------------------------------

_OWN: Final = ("endpoint", "dependant", "dependency_overrides_provider")
"""What a route has of its hub. All else follows from its words."""
_routes: Final[dict[tuple[Any, ...], tuple[Mapping[str, Any], dict[str, Any]]]] = {}
_populated: Final[Any] = getattr(routing, "_populate_api_route_state")  # noqa: B009  # it is not exported


def _route(route: Any, path: str, endpoint: Callable[..., Any], **said: Any) -> None:
    code = getattr(endpoint, "__code__", None)
    if code is None or said["dependencies"] or said["callbacks"]:
        _populated(route, path, endpoint, **said)
        return
    provider, kinds = said["dependency_overrides_provider"], endpoint.__annotations__
    key = (code, path, repr({**said, "dependency_overrides_provider": None}))
    known = _routes.get(key)
    if known is None or not _same(known[0], kinds):
        before = set(vars(route))
        _populated(route, path, endpoint, **said)
        fresh = {name: value for name, value in vars(route).items() if name not in before}
        _routes[key] = kinds, {name: value for name, value in fresh.items() if name not in _OWN}
        return
    vars(route).update({name: _own(value) for name, value in known[1].items()})
    route.endpoint, route.dependency_overrides_provider = endpoint, provider
    route.dependant = _dependant(path=route.path_format, call=endpoint, scope="function")


def _own(value: Any) -> Any:
    return value.copy() if isinstance(value, list | dict | set) else value


def install() -> None:
    """For this process."""
    setattr(routing, "_populate_api_route_state", _route)  # noqa: B010  # as below
    setattr(transports, "create_ssl_context", _context)  # noqa: B010  # as below
    setattr(v2, "TypeAdapter", _adapter)  # noqa: B010  # the module does not export the name
    setattr(routing, "get_dependant", _dependant)  # noqa: B010  # as above
    setattr(jinja2.Environment, "compile", _template)  # noqa: B010  # overloaded, which ours is not
