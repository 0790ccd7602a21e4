"""What a release needs of the system, and this machine lacks: an update brings none of it.

Refused is what a release is the first to need. What the one that runs names already, and runs without, is
this machine's own way (a database elsewhere, no screen): that is said, and holds nothing up.
"""

from collections.abc import Sequence

from systemd.installer.packages import LIST, lacking, named_for, question, remedy
from systemd.updater import releases
from systemd.updater.admit import Here
from systemd.updater.envelope import Release
from systemd.updater.errors import BadRelease, Lacking
from systemd.updater.host import Host
from systemd.updater.roles import Role

NO_PROGRAM = 127


def check(host: Host, role: Role, release: Release, here: Here) -> None:
    """Raises Lacking, BadRelease."""
    wanted = _of_release(release, role, here)
    missing = _missing(host, wanted)
    if missing is None:
        host.say(f"there is no dpkg here: look yourself whether there is {', '.join(wanted)}")
        return
    known = of_running(host, role, here)
    if new := [name for name in missing if name not in known]:
        raise Lacking(new, remedy(new))
    if missing:
        host.say(f"missing here, as before: {', '.join(missing)}")


def check_running(host: Host, role: Role, here: Here) -> None:
    """The same of what runs. Raises Lacking; nothing where there is no dpkg, or no list."""
    if missing := _missing(host, of_running(host, role, here)):
        raise Lacking(missing, remedy(missing))


def of_running(host: Host, role: Role, here: Here) -> tuple[str, ...]:
    """Of an older one, which has no list, nothing is known."""
    return _read(host.disk.read(f"{releases.folder(here.running)}/{LIST}"), role, here)


def _of_release(release: Release, role: Role, here: Here) -> tuple[str, ...]:
    return _read(next((text for file, text in release.contents() if file.name == LIST), None), role, here)


def _read(text: bytes | None, role: Role, here: Here) -> tuple[str, ...]:
    try:
        return named_for(text, role.name, here.machine) if text else ()
    except ValueError as error:
        raise BadRelease(f"{LIST} in it cannot be read ({error})") from error


def _missing(host: Host, names: Sequence[str]) -> tuple[str, ...] | None:
    """``None``: nobody here knows."""
    if not names:
        return ()
    asked = host.run(question(names))
    return None if asked.code == NO_PROGRAM else lacking(names, asked.said)
