"""What a technician types, and the end of it."""

import os

import pytest

from locker.ctl.lesson import CannotLearn, Keyboard


async def test_the_end_of_typing_is_told_to_whoever_waits_for_a_line() -> None:
    """Also where it was met while nobody waited."""
    ear, mouth = os.pipe()
    with os.fdopen(ear):
        keyboard = Keyboard(ear)
        os.write(mouth, b"first\n")
        os.close(mouth)
        assert await keyboard.line() == "first"
        keyboard._read()
        assert (keyboard.typed(), keyboard.typed()) == ("", "")
        with pytest.raises(CannotLearn, match="nobody answers"):
            await keyboard.line()
