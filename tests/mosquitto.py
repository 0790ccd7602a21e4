"""A real broker for tests, on a free loopback port, with the access rules of the wire contract."""

import os
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import IO, Final

from hw_sim.free_port import free_port
from hw_sim.settings import ACCESS, CENTRAL_USER, MOSQUITTO

__all__ = ["CENTRAL_USER", "Broker", "program"]

STARTED: Final = " running"  # mosquitto's last line before its loop
PATIENCE_S: Final = 60.0
# Tests read in its log who sent what.
TALKATIVE: Final = "log_type all\nconnection_messages true\n"


def program(name: str) -> str:
    """The path of a Debian program; /usr/sbin is not on every user's PATH."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"]))
    if found is None:
        message = f"{name} is missing: .ci/setup --dev installs it"
        raise FileNotFoundError(message)
    return found


class Broker:
    """One mosquitto, MQTT 5 on 127.0.0.1, named users only, nothing kept on disk across a restart.

    Start it from the thread that outlives it: the kernel ends the broker with the thread that
    started it, so that a killed test run leaves none behind.
    """

    host: Final = "127.0.0.1"

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = free_port() if port is None else port
        self.log: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._news = threading.Condition()
        self._write_configuration()

    def add_user(self, name: str, password: str) -> None:
        """Let `name` in; a running broker learns it before this returns."""
        command = [program("mosquitto_passwd"), "-b", str(self.directory / "passwords"), name, password]
        subprocess.run(command, check=True, timeout=PATIENCE_S, capture_output=True)
        if self._process is not None:
            seen = len(self.log)
            self._process.send_signal(signal.SIGHUP)
            self.await_log("Reloading config", since=seen)

    def start(self) -> None:
        """Serve, on the same port as ever; returns once clients can connect."""
        assert self._process is None, "the broker runs already"
        seen = len(self.log)
        self._process = subprocess.Popen(
            [program("setpriv"), "--pdeathsig", "KILL", program("mosquitto"), "-c", str(self._configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        self._reader = threading.Thread(target=self._read_log, args=(self._process.stderr,), daemon=True)
        self._reader.start()
        self.await_log(STARTED, since=seen)
        # It says so a moment before its loop begins, and loses a signal that comes in between.
        with socket.create_connection((self.host, self.port), timeout=PATIENCE_S):
            self.await_log("New connection from", since=seen)

    def stop(self) -> None:
        """An orderly end: clients are told, wills are kept back or sent as MQTT says."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """The end of a power cut: nobody is told anything, what was queued is gone."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Keep the connections open and say nothing, as a hung broker or a dead link does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def await_log(self, text: str, *, since: int = 0, timeout_s: float = PATIENCE_S) -> str:
        """The first log line from index `since` on that holds `text`; TimeoutError with the log if none."""

        def hit() -> str | None:
            return next((line for line in self.log[since:] if text in line), None)

        with self._news:
            if self._news.wait_for(lambda: hit() is not None or not self._reading, timeout_s):
                line = hit()
                if line is not None:
                    return line
        message = f"the broker never said {text!r}; it said:\n" + "\n".join(self.log[since:])
        raise TimeoutError(message)

    @property
    def _reading(self) -> bool:
        return self._reader is not None and self._reader.is_alive()

    def _read_log(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._news:
                    self.log.append(line.rstrip())
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)
        process.wait(timeout=PATIENCE_S)
        if self._reader is not None:
            self._reader.join(timeout=PATIENCE_S)

    @property
    def _configuration(self) -> Path:
        return self.directory / "mosquitto.conf"

    def _write_configuration(self) -> None:
        for name, text in (("passwords", ""), ("access", ACCESS)):
            path = self.directory / name
            path.write_text(text)
            path.chmod(0o600)
        text = MOSQUITTO.format(port=self.port, host=self.host, folder=self.directory)
        self._configuration.write_text(text + TALKATIVE)
