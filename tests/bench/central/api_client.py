"""A case system that asks, as a process of its own: ``api_client ADDRESS KEY A_SECOND COUNT < calls``.

Calls are JSON, an object of lists: each name's method, path, and the bodies of its turns where it has any.
Tells the milliseconds of each name, from when a call was due: what waits behind another counts its waiting.
"""

import http.client
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

CONNECTIONS: Final = 8
LEAD_S: Final = 0.5
"""Until every connection is there."""
WAIT_S: Final = 60


@dataclass(slots=True)
class Asking:
    host: str
    key: str
    a_second: float
    total: int
    calls: dict[str, dict[str, Any]]
    took: dict[str, list[float]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    _next: "count[int]" = field(default_factory=count)
    _taking: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        begun = time.perf_counter() + LEAD_S
        workers = [threading.Thread(target=self._work, args=(begun,)) for _ in range(CONNECTIONS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _work(self, begun: float) -> None:
        connection = http.client.HTTPConnection(self.host, timeout=WAIT_S)
        connection.connect()
        resting = threading.Event()
        while True:
            with self._taking:
                number = next(self._next)
            if number >= self.total or self.refused:
                break
            due = begun + number / self.a_second
            resting.wait(max(0.0, due - time.perf_counter()))
            self._ask(connection, number, due)
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, number: int, due: float) -> None:
        names = list(self.calls)
        name = names[number % len(names)]
        call = self.calls[name]
        bodies = call.get("bodies")
        body = json.dumps(bodies[number // len(names)]) if bodies else None
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request(call["method"], call["path"], body, headers)
        answer = connection.getresponse()
        text = answer.read()
        took_ms = (time.perf_counter() - due) * 1000
        with self._taking:
            if answer.status >= http.client.MULTIPLE_CHOICES:
                self.refused.append(f"{name}: {answer.status} {text[:300]!r}")
            self.took.setdefault(name, []).append(took_ms)


def main() -> int:
    address, key, a_second, total = sys.argv[1:]
    asking = Asking(urlsplit(address).netloc, key, float(a_second), int(total), json.load(sys.stdin))
    asking.run()
    for line in asking.refused:
        print(line, file=sys.stderr)
    print(json.dumps(asking.took))
    return 1 if asking.refused else 0


if __name__ == "__main__":
    sys.exit(main())
