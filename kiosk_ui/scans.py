"""What a scanner read, given to the kiosk as if the page had been shown it."""

import logging
from collections.abc import AsyncIterator

from kiosk_ui.acts import CodeShown, NotHere
from kiosk_ui.kiosk import Kiosk

log = logging.getLogger(__name__)


async def show(kiosk: Kiosk, digits: str) -> None:
    """Where no code is heard just now it is as if nobody had held one there."""
    try:
        await kiosk.code(CodeShown(scanned=digits))
    except NotHere as nowhere:
        log.info("a scan came while the screen was %s: nothing was done", nowhere.screen)


async def hearing(kiosk: Kiosk) -> AsyncIterator[bool]:
    """Whether the page takes a code: now, and whenever it may have changed. Ends with the kiosk."""
    async for view in kiosk.views():
        yield bool(view["hears"])
