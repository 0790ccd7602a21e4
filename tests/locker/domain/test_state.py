"""What a journal's anchors are held against: the state's text, which may change only with `FOLD_VERSION`."""

import json
import zlib
from typing import Final

from locker.domain.state import FOLD_VERSION, LockerState, state_text
from locker.journal.project import state_from

EMPTY: Final = {8: 813_560_499}
"""By version, the CRC-32 of an empty state's text. Where it differs and the version does not, software of the
same version would call a sound journal corrupt at its first anchor. Raise the version, then this."""


def test_another_shape_of_the_state_is_another_version() -> None:
    assert EMPTY[FOLD_VERSION] == zlib.crc32(state_text(LockerState()).encode())


def test_a_state_anchored_before_a_field_was_there_is_read_with_its_default() -> None:
    before = json.loads(state_text(LockerState()))
    del before["centre_keys"]
    assert state_from(json.dumps(before)) == LockerState()
