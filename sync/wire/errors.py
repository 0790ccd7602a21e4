"""What can be wrong with a message. Each error names the kind of message and what about it."""


class WireError(Exception):
    """Base of all that is wrong with what was received. Remedy: count it, drop it, go on."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class BadTopic(WireError, ValueError):
    """A topic that the contract does not know."""


class TooLarge(WireError, ValueError):
    """More bytes or entries than the contract allows."""


class Unreadable(WireError, ValueError):
    """Not UTF-8, not JSON, or not one object."""


class WrongField(WireError, ValueError):
    """A field is missing, or of the wrong type or form."""


class UnknownVersion(WireError):
    """Written by a later version. Remedy: update; keep it and do not acknowledge it meanwhile."""


class BrokenChain(WireError, ValueError):
    """The entries of a batch do not lead from its ``prev`` to its ``hash``."""
