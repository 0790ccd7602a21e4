"""docs/kiosk.md says what the tables say, and shows every screen, at a modest size."""

from kiosk_ui.names import Screen
from tests.kiosk_ui import storyboard

MOST_BYTES = 3 * 1024 * 1024


def test_the_storyboard_is_that_of_the_tables() -> None:
    written = storyboard.PAGE.read_text(encoding="utf-8")
    assert written == storyboard.page(), "stale: python -m tests.kiosk_ui.storyboard"


def test_every_screen_has_its_picture_and_none_is_left_over() -> None:
    pictures = {
        path.stem: path.stat().st_size for path in (storyboard.DOCS / "pictures").glob("kiosk-*.webp")
    }
    assert set(pictures) == {f"kiosk-{each.value}" for each in Screen}
    assert sum(pictures.values()) < MOST_BYTES
