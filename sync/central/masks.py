"""Names and phones as staff and screens may see them."""

from typing import Final

_SHOWN_FRONT: Final = 3
_SHOWN_BACK: Final = 2


def name(full: str) -> str:
    """张伟 → 张*, 欧阳娜娜 → 欧***, Alan → A***; a company keeps its first two characters."""
    if not full:
        return ""
    shown = 2 if len(full) > 4 and not full.isascii() else 1  # noqa: PLR2004  # longer than any personal name
    return full[:shown] + "*" * min(len(full) - shown, 6)


def phone(full: str) -> str:
    """13812345678 → 138******78."""
    if len(full) <= _SHOWN_FRONT + _SHOWN_BACK:
        return "*" * len(full)
    hidden = len(full) - _SHOWN_FRONT - _SHOWN_BACK
    return full[:_SHOWN_FRONT] + "*" * hidden + full[-_SHOWN_BACK:]
