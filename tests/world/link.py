"""One end of the world's network: towards its owner as `sync.link.link.Link`, with the same back-off."""

import asyncio
from contextvars import Context, copy_context
from typing import Final

from sync.link.backoff import BackOff
from sync.link.settings import Draw, LinkSettings, Listener, Message, PublishResult, Waiter, Words
from tests.world.broker import Broker

CONNECT_S: Final = 0.15
"""TCP, TLS, CONNACK and SUBACK."""
_NO_ANSWER: Final = PublishResult(None)


class WorldLink:
    """Conforms to `sync.link.settings.LinkPort`."""

    def __init__(self, broker: Broker, settings: LinkSettings, waiter: Waiter, draw: Draw) -> None:
        self.settings = settings
        self._broker = broker
        self._waiter = waiter
        self._back_off = BackOff(settings.first_delay_s, settings.delay_max_s, settings.stable_after_s, draw)
        self._connection = 0
        self._ready_since_ms: int | None = None
        self._answers: set[asyncio.Future[PublishResult]] = set()
        self._end: asyncio.Future[str] | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._listener: Listener | None = None
        self._owner: Context = copy_context()
        self._last_due_s = 0.0
        self._last_said_s = 0.0

    @property
    def connected(self) -> bool:
        return self._ready_since_ms is not None

    async def start(self, listener: Listener) -> None:
        self._listener = listener
        self._task = asyncio.create_task(self._run(listener))

    async def stop(self, last_words: Words | None = None) -> None:
        if self._task is None or self._task.done():
            return
        self._stopping = True
        if self.connected and last_words is not None:
            await self.publish(
                last_words.topic, last_words.payload, qos=last_words.qos, retain=last_words.retain
            )
        if self.connected:
            self._broker.gone(self.settings.client_id, orderly=True, link=self)
        self._task.cancel()
        await asyncio.wait([self._task])

    async def closed(self) -> None:
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> PublishResult:
        if not self.connected:
            return _NO_ANSWER
        loop, connection = asyncio.get_running_loop(), self._connection
        answer: asyncio.Future[PublishResult] = loop.create_future()
        self._answers.add(answer)
        weather, rng = self._broker.weather, self._broker.rng
        lost = not qos and weather.loss > 0 and rng.random() < weather.loss

        def arrives() -> None:
            if not self._broker.passes(self.settings.client_id, connection):
                return
            code = 0
            if not lost:
                code = self._broker.publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)
            if not qos:
                self._settle(answer, PublishResult(0))
            else:
                loop.call_later(self._delay_s(), answered, code, context=self._owner)

        def answered(code: int) -> None:
            if self._broker.passes(self.settings.client_id, connection):
                _answer(answer, PublishResult(code))

        # The network is nobody's: what was sent arrives though its sender has died since.
        loop.call_at(self._in_order_s(), arrives, context=Context())
        try:
            return await answer
        finally:
            self._answers.discard(answer)

    def acknowledge(self, message: Message) -> None:
        if message.connection == self._connection and self.connected and message.qos:
            connection = self._connection

            def arrives() -> None:
                if self._broker.passes(self.settings.client_id, connection):
                    self._broker.acknowledged(self.settings.client_id, message.mid)

            asyncio.get_running_loop().call_later(self._delay_s(), arrives, context=Context())

    # --- what the broker does ------------------------------------------------------------------------------

    def carry(self, message: Message, late_s: float) -> None:
        """A message is on its way to us."""
        loop = asyncio.get_running_loop()
        due_s = max(self._last_due_s, loop.time() + self._delay_s())
        if not late_s:
            self._last_due_s = due_s
        loop.call_at(due_s + late_s, self._arrives, message, context=self._owner)

    def lost(self, why: str) -> None:
        """The connection is no more."""
        if self._end is not None and not self._end.done():
            asyncio.get_running_loop().call_soon(self._lose, self._end, why, context=self._owner)

    # -------------------------------------------------------------------------------------------------------

    async def _run(self, listener: Listener) -> None:
        while not self._stopping:
            lasted_ms = await self._connect_once(listener)
            delay_ms = self._back_off.delay_ms(lasted_ms)
            await self._waiter.sleep_until(self._waiter.mono_ms() + delay_ms)

    async def _connect_once(self, listener: Listener) -> int | None:
        loop = asyncio.get_running_loop()
        self._owner = copy_context()
        self._end = loop.create_future()
        await self._waiter.sleep_until(self._waiter.mono_ms() + round(CONNECT_S * 1000))
        client = self.settings.client_id
        if not self._broker.reachable(client) or client in self._broker.barred:
            await self._waiter.sleep_until(
                self._waiter.mono_ms() + round(self.settings.answer_timeout_s * 1000)
            )
            listener.on_disconnected("no answer")
            return None
        self._connection, present = self._broker.connect(self, listener.will())
        self._ready_since_ms = self._waiter.mono_ms()
        self._last_due_s = 0.0
        listener.on_connected(session_present=present)
        why = await self._end
        since_ms, self._ready_since_ms = self._ready_since_ms, None
        for answer in tuple(self._answers):
            self._settle(answer, _NO_ANSWER)
        listener.on_disconnected(why)
        return self._waiter.mono_ms() - since_ms

    def _arrives(self, message: Message) -> None:
        passes = self._broker.passes(self.settings.client_id, message.connection)
        if passes and self.connected and self._listener is not None:
            self._listener.on_message(message)

    def _lose(self, end: "asyncio.Future[str]", why: str) -> None:
        if not end.done():
            end.set_result(why)

    def _settle(self, answer: "asyncio.Future[PublishResult]", result: PublishResult) -> None:
        if not answer.done():
            asyncio.get_running_loop().call_soon(_answer, answer, result, context=self._owner)

    def _delay_s(self) -> float:
        weather = self._broker.weather
        return weather.latency_s + weather.jitter_s * self._broker.rng.random()

    def _in_order_s(self) -> float:
        """What one client says arrives in the order in which it was said."""
        self._last_said_s = max(self._last_said_s, asyncio.get_running_loop().time() + self._delay_s())
        return self._last_said_s


def _answer(answer: "asyncio.Future[PublishResult]", result: PublishResult) -> None:
    if not answer.done():
        answer.set_result(result)
