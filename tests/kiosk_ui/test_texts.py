"""The words: the same keys in each language, the same placeholders, nothing unused, nothing missing."""

import re
import string

from kiosk_ui import texts
from kiosk_ui.buttons import FINDINGS, REASONS
from kiosk_ui.names import Act, Screen
from locker.domain.errors import Reason

ALL = texts.load_all()
PLACEHOLDERS = string.Formatter()


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in PLACEHOLDERS.parse(text) if name}


def test_each_language_has_the_same_keys() -> None:
    keys = {language: set(each.entries) for language, each in ALL.items()}
    assert keys["zh"] == keys["en"]


def test_placeholders_agree() -> None:
    zh, en = ALL["zh"].entries, ALL["en"].entries
    assert {key: (zh[key], en[key]) for key in zh if placeholders(zh[key]) != placeholders(en[key])} == {}


def test_nothing_is_empty_and_nothing_is_in_the_wrong_language() -> None:
    chinese = re.compile(r"[\u4e00-\u9fff\uff00-\uffef]")
    assert [key for each in ALL.values() for key, text in each.entries.items() if not text] == []
    other = {"word.other_language"}
    assert [key for key, text in ALL["en"].entries.items() if chinese.search(text) and key not in other] == []
    assert [
        key for key, text in ALL["zh"].entries.items() if not chinese.search(text) and key not in other
    ] == []


def test_every_refusal_screen_and_choice_has_its_words() -> None:
    wanted = {f"reason.{reason.value}.{part}" for reason in Reason for part in ("title", "todo", "banner")}
    wanted |= {f"screen.{screen.value}.{part}" for screen in Screen for part in ("title", "lead")}
    wanted |= {f"act.refuse_{why}" for why in REASONS} | {f"act.finding_{found}" for found in FINDINGS}
    wanted |= {f"said.intake_{found}" for found in FINDINGS}
    assert wanted - set(ALL["zh"].entries) == set()


def test_every_text_of_a_screen_belongs_to_one() -> None:
    known = {screen.value for screen in Screen}
    acts = {act.value for act in Act}
    for key in ALL["zh"].entries:
        if key.startswith("screen."):
            _, screen, word = key.split(".")
            assert screen in known, key
            assert word.split("_")[0] in {"title", "lead"} or word in acts, key
