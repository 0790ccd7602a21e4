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
