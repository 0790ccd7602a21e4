"""Details of journals in both languages: known ones in words, unknown ones as they are."""

import pytest

from sync.central.console import details, texts
from sync.central.console.details import _SAYS

CHINESE, ENGLISH = (texts.load()[language] for language in ("zh", "en"))
MARKS = {
    "door": ["door 7"],
    "within": ["within 3..9"],
    "type": ["12: unknown type 'DoorSang'"],
    "in_force_again": ["case GS-1: it is in force again, its phone is unknown"],
    "loadable_again": ["case GS-1: it may be loaded, its phone and label are unknown"],
    "badge_works": ["their badge works there until it runs out: enrol or revoke them"],
    "says_lost": ["the locker, at 4, says of our entry 9: beyond its own; an old card, or rows lost"],
    "says_forked": ["the locker, at 4, says of our entry 9: not its own; an old card that went on"],
    "says_hole": ["the locker, at 4, says of our entry 9: what follows it is purged there; this ledger"],
    "says_later": ["the locker, at 4, says of our entry 9: of a later epoch than its own: two cards"],
    "fewer": ["the locker has 4 entries, 9 are stored here: an old card, or rows lost"],
    "another": ["another entry at 9: a cloned card, or tampering"],
    "went_on": ["the locker went on in 1a2b3c4d from its entry 9: lost_rows"],
    "records_nothing": ["it can record nothing more and opens no door: free or replace its disk"],
    "not_ours": ["the locker's entry 9 is not ours"],
    "numbered_otherwise": ["the locker follows a numbering that is not ours"],
    "gone": ["it answered 410: gone; nothing is sent to it any more"],
    "not_taken": ["for three days it did not take cn.doclocker.DoorOpened"],
    "too_many_wait": ["more than 50000 events wait; nothing is collected for it any more"],
    "lay_there": ["door 7: it lay there when the locker was emptied"],
    "setting": ["hold_days = 900: out_of_range"],
    "refused": ["refused: no_room"],
}


def moment(wall_ms: int) -> str:
    return f"<{wall_ms}>"


@pytest.mark.parametrize("name", [name for name, _ in _SAYS])
def test_what_an_alarm_says_is_told_in_both_languages(name: str) -> None:
    for detail in MARKS[name]:
        chinese, english = details.alarm(CHINESE, "fork", detail), details.alarm(ENGLISH, "fork", detail)
        assert chinese not in {english, detail}
        assert "{" not in chinese + english
        for mark in ("7", "GS-1", "DoorSang", "DoorOpened", "1a2b3c4d"):
            assert (mark in detail) == (mark in chinese) == (mark in english)


def test_an_alarm_of_later_software_is_shown_as_it_is() -> None:
    assert details.alarm(CHINESE, "new", "door 7 sang") == "door 7 sang"
    assert details.alarm(ENGLISH, "settings_extra", "hold_days, later") == "Items are held for pickup, later"


def test_acts_are_told_by_words_of_their_own_and_unknown_ones_plainly() -> None:
    detail = {
        "areas": '["*"]',
        "what": "rights",
        "roles": '["auditor","later"]',
        "until": 5,
        "sent": True,
        "later": "x",
        "to": "",
    }
    assert details.act(ENGLISH, moment, detail) == [
        ("", "rights changed"),
        ("areas", "every area"),
        ("roles", "Auditor, later"),
        ("until", "<5>"),
        ("sent", "yes"),
        ("later", "x"),
    ]
    assert details.act(CHINESE, moment, {"state": "posted", "door": 7}) == [("状态", "已邮寄"), ("箱门", "7")]
    assert details.act(ENGLISH, moment, {"reason": "[see] a, b"}) == [("reason", "[see] a, b")]
