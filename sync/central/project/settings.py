"""What a locker tells of its settings: what is in force there, and what it refused."""

import json
from types import MappingProxyType
from typing import Any, Final

from locker.domain import events as ev
from locker.domain.encoding import canonical
from sync.central import store
from sync.central.project import rows
from sync.central.project.rows import Apply, Place
from sync.central.settings.levels import Level, Wishes
from sync.central.settings.tables import LOCKER_SETTINGS, SETTING_WISH
from sync.central.tables import LOCKER


def _refused(at: Place, e: ev.SettingRefused) -> None:
    row = store.find(at.connection, LOCKER_SETTINGS, {"locker": at.locker})
    if row is not None and row.version == e.version:
        told = [*json.loads(row.refused), [e.name, e.value, e.why.value]]
        store.change(at.connection, LOCKER_SETTINGS, {"locker": at.locker}, {"refused": canonical(told)})
    rows.alarm(at, "setting_refused", f"{e.version}/{e.name}", f"{e.name} = {e.value}: {e.why}")


def _reported(at: Place, e: ev.SettingsReported) -> None:
    keys = {"locker": at.locker}
    held = {each.name: each.value for each in e.settings}
    values: dict[str, Any] = {
        "held_version": e.version,
        "held": canonical(held),
        "given": canonical(list(e.given)),
        "held_ms": at.now_ms,
    }
    row = store.find(at.connection, LOCKER_SETTINGS, keys)
    if e.version > (row.version if row else 0):
        values |= _taken_over(at, e, held)
    store.put(at.connection, LOCKER_SETTINGS, keys, values)


def _taken_over(at: Place, e: ev.SettingsReported, held: dict[str, int | str]) -> dict[str, Any]:
    """We said it once, and came back from a copy that is older: it stands as this locker's own wishes."""
    given = {name: held[name] for name in e.given}
    locker = store.find(at.connection, LOCKER, {"locker": at.locker})
    known = Wishes(at.connection).wanted(at.locker, locker.area) if locker is not None else {}
    for name, value in given.items():
        if name in known and known[name].value == value:
            continue
        keys = {"level": Level.LOCKER.value, "place": at.locker, "name": name}
        said = {"value": canonical(value), "who": "", "at_ms": at.now_ms}
        store.put(at.connection, SETTING_WISH, keys, said)
    rows.alarm(at, "settings_extra", str(e.version), ", ".join(given) or "none")
    return {"version": e.version, "said": canonical(given), "said_ms": at.now_ms, "refused": "[]"}


APPLY: Final[Apply] = MappingProxyType(
    {ev.SettingRefused: _refused, ev.SettingsReported: _reported},
)
