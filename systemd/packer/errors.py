"""What stops a build: one line that says what to do."""

from collections.abc import Sequence


class PackError(Exception):
    """Base of all of them."""


class ToolFailed(PackError):
    """A program that the build needs said no."""

    def __init__(self, argv: Sequence[str], code: int, said: str) -> None:
        super().__init__(f"{' '.join(argv)} ended with {code}: {said.strip() or 'it said nothing'}")
