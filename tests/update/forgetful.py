"""A file system in memory that forgets what was not synced, and stops at any of its operations.

Names and contents are lost apart from each other: of names each change since its folder was synced, of a file
what was written since it was. A rename happens or does not; no other change is one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk
from typing import IO

from systemd.updater.disk import folder_of


class PowerCut(BaseException):
    """Nothing more happens."""


@dataclass(eq=False)
class File:
    """``lasts``: what is certain of its content."""

    content: bytes
    lasts: bytes = b""


@dataclass(frozen=True, slots=True)
class Link:
    target: str


Entry = File | Link | None
"""``None``: a folder."""
Names = dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Change:
    """Of names, in ``folders``; ``apply`` does nothing where what it needs is not there."""

    folders: frozenset[str]
    apply: Callable[[Names], None]


@dataclass
class ForgetfulDisk:
    """Fits `systemd.updater.disk.Disk`. ``cut_at``: the operation that does not happen any more, from 1."""

    named: Names = field(default_factory=dict)
    """Names that are certain."""
    cut_at: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        self._now = dict(self.named)
        self._pending: list[Change] = []

    # --- what was left ---

    def after_cut(self, chance: Random | None) -> "ForgetfulDisk":
        """The disk as the next start finds it. ``None``: only the process died, nothing is lost."""
        names = dict(self.named)
        for change in self._pending:
            if chance is None or chance.random() < 0.5:
                change.apply(names)
        found: Names = {}
        files: dict[int, File] = {}
        for path, entry in sorted(names.items()):
            above = folder_of(path)
            if above != "/" and above not in found:
                continue
            if isinstance(entry, File):
                if id(entry) not in files:
                    kept = _survivor(entry, chance)
                    files[id(entry)] = File(kept, kept)
                found[path] = files[id(entry)]
            else:
                found[path] = entry
        return ForgetfulDisk(found)

    def settle(self, path: str, content: bytes) -> None:
        """Another program writes this file, and makes it last; no place to cut."""
        for above in reversed(list(_above(path))):
            self.named.setdefault(above, None)
            self._now.setdefault(above, None)
        entry = self._now.get(path)
        if isinstance(entry, File):
            entry.content = entry.lasts = content
        else:
            self._now[path] = self.named[path] = File(content, content)

    def files(self, folder: str) -> dict[str, bytes]:
        """Every file below, by its name from there."""
        start = f"{folder}/"
        return {
            path.removeprefix(start): entry.content
            for path, entry in self._now.items()
            if path.startswith(start) and isinstance(entry, File)
        }

    # --- the port ---

    def read(self, path: str) -> bytes | None:
        entry = self._now.get(self._resolved(path))
        return entry.content if isinstance(entry, File) else None

    def target(self, link: str) -> str:
        entry = self._now.get(link)
        return entry.target if isinstance(entry, Link) else ""

    def names(self, folder: str) -> list[str]:
        return sorted(path.rpartition("/")[2] for path in self._now if folder_of(path) == folder)

    def create(self, path: str, content: bytes, mode: int) -> None:
        del mode
        file = File(content)
        self._do(Change(frozenset({folder_of(path)}), lambda names: names.update({path: file})))

    def append(self, path: str, content: bytes) -> None:
        entry = self._now.get(path)
        if not isinstance(entry, File):
            self.create(path, content, 0o644)
            return
        self._step()
        entry.content += content

    def reader(self, path: str) -> IO[bytes]:
        content = self.read(path)
        if content is None:
            raise FileNotFoundError(path)
        return BytesIO(content)

    def link(self, path: str, target: str) -> None:
        assert path not in self._now
        self._do(Change(frozenset({folder_of(path)}), lambda names: names.update({path: Link(target)})))

    def rename(self, path: str, to: str) -> None:
        assert path in self._now

        def apply(names: Names) -> None:
            if path in names:
                names[to] = names.pop(path)

        self._do(Change(frozenset({folder_of(path), folder_of(to)}), apply))

    def also(self, path: str, to: str) -> None:
        entry = self._now[path]
        if to not in self._now:
            self._do(Change(frozenset({folder_of(to)}), lambda names: names.update({to: entry})))

    def unlink(self, path: str) -> None:
        if path in self._now:
            self._do(Change(frozenset({folder_of(path)}), lambda names: void(names.pop(path, None))))

    def make_folder(self, path: str) -> None:
        for each in (*reversed(list(_above(path))), path):
            if each not in self._now:
                self._do(_made(each))

    def remove_tree(self, path: str) -> None:
        for each in sorted((p for p in self._now if f"{p}/".startswith(f"{path}/")), reverse=True):
            self._do(Change(frozenset({folder_of(each)}), _removed(each)))

    def sync_file(self, path: str) -> None:
        self._step()
        entry = self._now[path]
        assert isinstance(entry, File)
        entry.lasts = entry.content

    def sync_folder(self, path: str) -> None:
        self._step()
        for change in [each for each in self._pending if path in each.folders]:
            change.apply(self.named)
            self._pending.remove(change)

    def sync_all(self) -> None:
        self._step()
        self.named, self._pending = dict(self._now), []
        for entry in self._now.values():
            if isinstance(entry, File):
                entry.lasts = entry.content

    # --- its inside ---

    def _do(self, change: Change) -> None:
        self._step()
        change.apply(self._now)
        self._pending.append(change)

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.cut_at:
            raise PowerCut

    def _resolved(self, path: str) -> str:
        """Links of folders are followed, as far as an update has any."""
        for link, entry in self._now.items():
            if isinstance(entry, Link) and path.startswith(f"{link}/"):
                return entry.target + path.removeprefix(link)
        return path


def void(_: object) -> None:
    """For its effect alone."""


def _made(path: str) -> Change:
    return Change(frozenset({folder_of(path)}), lambda names: void(names.setdefault(path, None)))


def _removed(path: str) -> Callable[[Names], None]:
    return lambda names: void(names.pop(path, None))


def _above(path: str) -> Iterator[str]:
    while (path := folder_of(path)) != "/":
        yield path


def _survivor(file: File, chance: Random | None) -> bytes:
    if chance is None or file.content == file.lasts:
        return file.content
    torn = file.content[: chance.randrange(len(file.content) + 1)]
    return chance.choice((file.content, file.lasts, torn, bytes(len(file.content))))
