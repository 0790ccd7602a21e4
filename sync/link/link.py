"""The link to the broker, as the event loop sees it: one connection after the other, for ever."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from sync.link import Answered, Connection, News, Ready
from sync.link.backoff import BackOff
from sync.link.settings import Draw, LinkSettings, Listener, Message, PublishResult, Waiter, Words

_NO_ANSWER: Final = PublishResult(None)


class Link:
    """Keeps one MQTT connection, reconnecting with back-off; hands what happens to its listener.

    An outage is never an exception. What the listener raises is a fault: it ends the link and comes out of
    `closed`.
    """

    def __init__(self, settings: LinkSettings, waiter: Waiter, draw: Draw) -> None:
        self._settings = settings
        self._waiter = waiter
        self._back_off = BackOff(settings.first_delay_s, settings.delay_max_s, settings.stable_after_s, draw)
        self._connection: Connection | None = None
        self._connections = 0
        self._ready_since_ms: int | None = None
        self._answers: dict[int, asyncio.Future[PublishResult]] = {}
        self._news: asyncio.Queue[News | Future[str]] = asyncio.Queue()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.overrun = 0
        """Messages of QoS 0 dropped because the owner was too slow."""

    @property
    def connected(self) -> bool:
        return self._ready_since_ms is not None

    async def start(self, listener: Listener) -> None:
        """Begin to connect, now and for ever; returns at once."""
        self._task = asyncio.create_task(self._run(listener), name="mqtt link")

    async def stop(self, last_words: Words | None = None) -> None:
        """End in order: say ``last_words`` if connected, then disconnect, so that no will is said."""
        if self._task is None or self._task.done():
            return
        self._stopping = True
        if self._connection is None or not self.connected:
            self._task.cancel()
        else:
            if last_words is not None:
                await self._say(last_words)
            self._connection.close()
        await asyncio.wait([self._task])

    async def closed(self) -> None:
        """Return once the link has been stopped; raise what broke it."""
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> PublishResult:
        """What the broker answered; at once `PublishResult(None)` while there is no connection."""
        if self._connection is None or not self.connected:
            return _NO_ANSWER
        number = self._connection.publish(topic, payload, qos, retain=retain, expiry_s=expiry_s)
        if number is None:
            return _NO_ANSWER
        # The answer is handed over through the event loop: it cannot overtake this line.
        answer: asyncio.Future[PublishResult] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            return await answer
        finally:
            self._answers.pop(number, None)

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that a message of QoS 1 is dealt with; do so only when it is."""
        if self._connection is not None:
            self._connection.acknowledge(message)

    # --- the one task --------------------------------------------------------------------------------------

    async def _run(self, listener: Listener) -> None:
        thread = ThreadPoolExecutor(1, "mqtt")
        try:
            while not self._stopping:
                lasted_ms = await self._connect_once(listener, thread)
                if not self._stopping:
                    delay_ms = self._back_off.delay_ms(lasted_ms)
                    await self._waiter.sleep_until(self._waiter.mono_ms() + delay_ms)
        finally:
            # Not waited for: a connect that nobody answers would hold the event loop.
            thread.shutdown(wait=False)

    async def _connect_once(self, listener: Listener, thread: ThreadPoolExecutor) -> int | None:
        """One connection from start to end; how long it was good, None if never."""
        loop = asyncio.get_running_loop()
        self._connections += 1
        connection = Connection(
            self._connections,
            self._settings,
            listener.will(),
            lambda news: _void(loop.call_soon_threadsafe(self._take, news)),
        )
        conversation = thread.submit(connection.converse)
        conversation.add_done_callback(lambda done: _void(loop.call_soon_threadsafe(self._take, done)))
        self._connection = connection
        try:
            while not isinstance(news := await self._news.get(), Future):
                self._hand_on(news, listener)
            since_ms, self._ready_since_ms = self._ready_since_ms, None
            self._forget_answers()
            listener.on_disconnected(news.result())
        finally:
            self._connection = None
            self._ready_since_ms = None
            self._forget_answers()
            connection.abandon()
        return None if since_ms is None else self._waiter.mono_ms() - since_ms

    def _take(self, news: "News | Future[str]") -> None:
        if isinstance(news, Message) and news.qos == 0 and self._news.qsize() >= self._settings.waiting_max:
            self.overrun += 1
            return
        self._news.put_nowait(news)

    def _hand_on(self, news: News, listener: Listener) -> None:
        match news:
            case Ready(session_present=session_present):
                self._ready_since_ms = self._waiter.mono_ms()
                listener.on_connected(session_present=session_present)
            case Answered(mid=number, reason_code=code):
                answer = self._answers.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(PublishResult(code))
            case Message():
                listener.on_message(news)

    def _forget_answers(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(_NO_ANSWER)

    async def _say(self, words: Words) -> None:
        """Wait for the broker's answer for a moment only: stopping must not hang on a broken link."""
        try:
            async with asyncio.timeout(self._settings.last_words_timeout_s):
                await self.publish(words.topic, words.payload, qos=words.qos, retain=words.retain)
        except TimeoutError:
            return


def _void(_: object) -> None:
    """For callbacks whose answer nobody needs."""
