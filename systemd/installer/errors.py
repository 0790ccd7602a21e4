"""What stops an installation: one line that says what to do."""


class InstallError(Exception):
    """Base of all of them."""


class NotRoot(InstallError):
    """Files of the system are to be written."""

    def __init__(self) -> None:
        super().__init__("needs root: run it with sudo, or look first with --dry-run")


class CommandFailed(InstallError):
    """A program of the system said no."""

    def __init__(self, argv: tuple[str, ...], code: int, said: str) -> None:
        super().__init__(f"{' '.join(argv)} ended with {code}: {said.strip() or 'it said nothing'}")


class NotOurs(InstallError):
    """What was done here cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} cannot be read ({why}): restore it, or move it away and install anew")


class BadDevice(InstallError):
    """A serial number, a name or an id that udev would misunderstand."""

    def __init__(self, what: str, given: str, wanted: str) -> None:
        super().__init__(f"{what} {given!r}: {wanted}")


class BadHost(InstallError):
    """A name that nobody could be sent to."""

    def __init__(self, given: str) -> None:
        super().__init__(f"--host {given!r}: wanted is a name or address by which lockers reach this machine")


class NoPeer(InstallError):
    """PostgreSQL does not let the hub's user in by its socket."""

    def __init__(self, said: str) -> None:
        super().__init__(
            f"PostgreSQL refuses the hub's user ({said.strip()}): put the line `local doclocker "
            "doclocker-central peer` first into pg_hba.conf, reload it, and install again"
        )
