"""What stops an update: one line that says what to do. Until the link is switched nothing has changed."""

from collections.abc import Sequence


class UpdateError(Exception):
    """Base of all of them."""


class BadRelease(UpdateError):
    """The file is not what somebody whom we trust has signed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"not a release that can be trusted: {why}. Fetch it again from whoever made it")
        self.why = why


class NoKeys(UpdateError):
    """This machine trusts nobody."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} names no key: systemd/update trust KEY, by somebody who knows it to be right"
        )


class BadKeys(UpdateError):
    """A key, or the list of them, cannot be used."""


class Unfit(UpdateError):
    """A genuine release that is not for this machine, or not now."""


class Lacking(UpdateError):
    """The system has not all that a release needs."""

    def __init__(self, names: Sequence[str], remedy: str) -> None:
        super().__init__(f"this machine lacks {', '.join(names)}, which it needs: {remedy}")
        self.names = tuple(names)


class HubAway(UpdateError):
    """The hub was not reached, or went away; what had come is kept."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url}: {why}. What had come is kept; it is asked for again at night")


class HubBusy(UpdateError):
    """The hub says: later."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} has others to serve: it is asked for again at night")


class CommandFailed(UpdateError):
    """A program that the update needs said no."""

    def __init__(self, argv: Sequence[str], code: int, said: str) -> None:
        lines = said.strip().splitlines()
        super().__init__(f"{' '.join(argv)} ended with {code}: {lines[-1] if lines else 'it said nothing'}")


class Busy(UpdateError):
    """Somebody is at the locker, a door is open, or another update is under way."""


class BadRecord(UpdateError):
    """What stands of the trial cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} cannot be read ({why}): look at it, then remove it; what runs goes on")
