"""The pages of a helper's round, door after door; a part of the tour."""

from collections.abc import AsyncIterator

from kiosk_ui.backroom import Contact
from tests.kiosk_ui.page import Page, View

PLACES = 7


async def intake(page: Page) -> AsyncIterator[tuple[str, View]]:
    for n in range(PLACES):
        await page.hand_in(f"JX2026-00431{n}")
        await page.act("leave")
    await page.sign_in()
    await page.act("round", kind="intake")
    view = await page.act("round_go")
    yield "round_take_out", view
    page.world.hands.take(view["door"])
    yield "round_found", await page.act("intake_confirm", finding="complete")
    view = await page.shut(view["door"])
    yield "round_next", view
    yield "round_wrong_label", await page.code(scanned="JX2026-999999")
    yield "correcting", await page.act("round_undo")
    await page.act("resume")
    yield "skipping", await page.act("skipping")
    await page.act("skip", why="not_mine", deposit=page.kiosk.visit.deposit)
    yield "round_left", await page.view()
    view = await page.shut(view["door"])
    page.world.hands.take(view["door"])
    await page.act("intake_confirm", finding="missing")
    await page.later(40_000)
    yield "round_late", await page.shut(view["door"])
    await page.act("menu")
    page.machine.contact = Contact(online=False)
    await page.later(30_000)
    view = await page.act("round", kind="intake")
    yield "round_resumed", view
    page.machine.contact = Contact(online=True)
    await page.later(30_000)
    view = await page.act("round_go")
    earlier = (await page.act("round_undo"))["rows"][-1]["data"]
    yield "correcting_earlier", await page.act("round_undo", **earlier)
    view = await page.act("resume")
    while view["screen"] == "take_out":
        page.world.hands.take(view["door"])
        await page.act("intake_confirm", finding="complete")
        view = await page.shut(view["door"])
    yield "round_done", view
    yield "round_slip", await page.act("round_end")
    await page.act("sign_out")


async def loading(page: Page) -> AsyncIterator[tuple[str, View]]:
    await page.sign_in()
    await page.act("load")
    for n in (1, 2):
        await page.world.announce(f"I-{n}", f"JX2026-00511{n}")
        label = page.world.token(f"I-{n}", case=f"JX2026-00511{n}")
        view = await page.code(scanned=label)
        yield f"round_put_in_{n}", view
        page.world.hands.put(view["door"])
        yield f"round_second_look_{n}", await page.shut(view["door"])
        await page.act("name_seen")
    yield "round_load", await page.act("load_low")
    view = await page.act("round_undo")
    yield "load_undo", view
    page.world.hands.take(view["door"])
    yield "load_undo_confirm", await page.shut(view["door"])
    await page.act("withdraw_confirm")
    yield "round_slip_load", await page.act("round_end")
    await page.act("sign_out")
    for n in (3, 4):
        await page.load(f"I-{n}", f"JX2026-00511{n}")
    await page.overdue()
    await page.sign_in()
    await page.act("round", kind="withdraw")
    yield "round_withdraw_out", await page.act("round_go")
