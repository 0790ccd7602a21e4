"""Whom a locker believes to be its centre: as provisioned, as told since, as introduced just now."""

from collections.abc import Callable, Iterable, Mapping

from locker.domain.centre_keys import CentreKeys
from sync import seal


def believed(provisioned: Mapping[bytes, bytes], told: CentreKeys) -> dict[bytes, bytes]:
    """Public keys by id, as `seal.open_frame` wants them."""
    return _keyring(told.believed(public.hex() for public in provisioned.values()))


def known(provisioned: Mapping[bytes, bytes], told: CentreKeys) -> dict[bytes, bytes]:
    """Those, and all that were retired: for what was signed before."""
    return _keyring(told.known(public.hex() for public in provisioned.values()))


def _keyring(publics: Iterable[str]) -> dict[bytes, bytes]:
    return dict(seal.keyring(*(bytes.fromhex(public) for public in publics)))


class Trust:
    """The keys whose frames count. ``told``: what the journal says of them, as it is now.

    An introduction is one key's word, signed, on the key that followed it. It counts until the connection
    ends: what is to last the centre says in its down-log, signed by the key that was introduced.
    """

    def __init__(self, provisioned: Mapping[bytes, bytes], told: Callable[[], CentreKeys]) -> None:
        self._provisioned = provisioned
        self._told = told
        self._seen = told()
        self._durable = believed(provisioned, self._seen)
        self._introduced: dict[bytes, bytes] = {}

    def keys(self) -> Mapping[bytes, bytes]:
        told = self._told()
        if told is not self._seen:
            self._seen = told
            self._durable = believed(self._provisioned, told)
        return self._durable | self._introduced if self._introduced else self._durable

    def introduce(self, public: bytes) -> bool:
        """Somebody who is believed has named this key; False where it is retired and counts no more."""
        if public.hex() in self._told().retired:
            return False
        self._introduced[seal.key_id(public)] = public
        return True

    def part(self) -> None:
        """The connection has ended."""
        self._introduced = {}
