"""Why a board or a door does not serve, in the page's language.

Boards' reasons come from `firmware_bridge` in English, with figures in them, as logs have them; doors' are a
word or a few. What fits none of these was written by a person, and is shown as they wrote it.
"""

import re
from typing import Final

from kiosk_ui.texts import Texts

_WITH_FIGURES: Final = tuple(
    (key, re.compile(pattern))
    for key, pattern in (
        ("noise", r"the line is never silent: .*"),
        ("relays_on", r"relays \[(?P<which>.+)\] stay on: .*"),
        ("wrong_profile", r"exception (?P<code>\d+) when asked .*"),
        ("wrong_register", r"register (?P<register>\w+) is (?P<value>\d+), not (?P<least>\d+) or more; .*"),
        ("inputs_drive", r"inputs drive channels \[(?P<which>.+)\]; .* (?P<register>0x.+) to (?P<mode>\d+)"),
        ("port", r"(?P<port>\S+): .+; check the cable, .*"),
        ("hung_up", r"\[Errno \d+\] .*|the port hung up|closed"),
    )
)


def why(text: str, texts: Texts) -> str:
    """``text`` as ``texts`` say it, where it is a reason that programs give."""
    plain = f"why.{text.replace(' ', '_')}"
    if texts.has(plain):
        return texts.say(plain, {})
    for key, pattern in _WITH_FIGURES:
        if found := pattern.fullmatch(text):
            return texts.say(f"why.{key}", found.groupdict())
    return text
