"""Receivers of events on their page: made, looked at, sent once more; the secret is shown once."""

import httpx

from sync.central.access.actor import Role
from sync.central.webhooks.tables import DELIVERY, WEBHOOK
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts

NEW = {
    "called": "办件系统",
    "url": "https://case.example/events",
    "kinds": "doclocker.locker.*\ndoclocker.centre.handed_over",
    "areas": "*",
}


async def sent(client: httpx.AsyncClient, path: str, **values: str) -> httpx.Response:
    page = (await client.get("/console/webhooks")).text
    form_key = page.split('name="form_key" value="')[1].split('"')[0]
    return await client.post(f"/console/{path}", data={"form_key": form_key, **values})


async def test_a_receiver_is_made_seen_and_sent_to_again(parts: Parts) -> None:
    people.add(parts, "root", [Role.ADMINISTRATOR])
    async with people.browser(people.whole(parts, people.entrance(parts))) as client:
        await people.sign_in(client, "root")
        wrong = await sent(client, "webhooks", **{**NEW, "kinds": "everything"})
        assert wrong.status_code == 422
        assert "doclocker.centre." in wrong.text
        made = await sent(client, "webhooks", **NEW)
        (row,) = parts.rows(WEBHOOK)
        secret = parts.desk.opened(row.secret_sealed)["secret"]
        assert secret in made.text
        values = {"webhook": row.webhook, "event": "centre/1", "type": "doclocker.centre.x"}
        done = {"state": "parked", "done_ms": parts.clock.now_ms, "detail": "status 500"}
        parts.store.write_now(lambda c: c.execute(DELIVERY.insert().values(**values, **done)))
        page = (await client.get(f"/console/webhooks/{row.webhook}?state=parked")).text
        assert "status 500" in page
        assert secret not in page
        (delivery,) = parts.rows(DELIVERY)
        await sent(client, f"webhooks/{row.webhook}/deliveries/{delivery.number}")
        assert [each.state for each in parts.rows(DELIVERY)] == ["due"]
        renewed = await sent(client, f"webhooks/{row.webhook}/secret")
        assert secret not in renewed.text
        await sent(client, f"webhooks/{row.webhook}/switch", state="off")
        assert [each.state for each in parts.rows(WEBHOOK)] == ["off"]
        gone = await sent(client, f"webhooks/{row.webhook}/remove")
        assert "case.example" not in gone.text
        assert (await client.get(f"/console/webhooks/{row.webhook}")).status_code == 404
