"""What can be wrong with boards, ports and wiring. Each error carries its data and names the remedy."""


class BridgeError(Exception):
    """Base of all errors of this package."""


class ProfileError(BridgeError, ValueError):
    """A board profile is not usable as written."""

    def __init__(self, profile: str, field: str, problem: str) -> None:
        super().__init__(f"board profile {profile!r}, {field}: {problem}")
        self.profile = profile
        self.field = field


class WiringError(BridgeError, ValueError):
    """The wiring is not usable as written. ``subject`` says where: a line, a board or a compartment."""

    def __init__(self, subject: str, problem: str, remedy: str) -> None:
        super().__init__(f"{subject}: {problem}; {remedy}")
        self.subject = subject
        self.problem = problem
        self.remedy = remedy


class RequestError(BridgeError, ValueError):
    """A request that must never reach the wire: channel 0, a broadcast address, a pulse beyond its cap."""


class PortError(BridgeError, OSError):
    """A port could not be opened or failed in use. The line keeps trying; nothing above needs to."""

    def __init__(self, url: str, cause: OSError) -> None:
        super().__init__(f"{url}: {cause}; check the cable, the port's name and who else holds it")
        self.url = url


class LineClosed(BridgeError):
    """Asked of a line on which nothing is said any more. Remedy: ask while the daemon runs."""

    def __init__(self, line: str) -> None:
        super().__init__(f"line {line} is closed: the daemon is stopping or has not begun")
        self.line = line
