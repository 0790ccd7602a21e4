"""Modbus TCP: the same PDUs behind a gateway, in packets that are numbered instead of summed.

Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3: transaction, protocol 0, length, unit.
"""

import struct
from typing import Final

from firmware_bridge.codecs.modbus import CHECKSUM_BYTES, frame
from firmware_bridge.request import Reply, Telegram

HEAD: Final = struct.Struct(">HHH")
TRANSACTIONS: Final = 0x1_0000
LENGTH_MIN: Final = 2
LENGTH_MAX: Final = 254
"""Of what follows the head: unit and PDU."""


def packed(telegram: Telegram, transaction: int) -> Telegram:
    """The same telegram as one numbered packet; its reply is known by the number as well.

    A reply that comes too late bears another number, and a connection does not echo.
    """
    number = transaction % TRANSACTIONS
    body = telegram.data[:-CHECKSUM_BYTES]

    def match(window: bytes) -> tuple[Reply, int] | None:
        inner = _inner(window, number)
        if inner is None:
            return None
        matched = telegram.match(frame(inner[0], inner[1:]))
        if matched is None or matched[1] != len(inner) + CHECKSUM_BYTES:
            return None
        return matched[0], HEAD.size + len(inner)

    data = HEAD.pack(number, 0, len(body)) + body
    reply_length = HEAD.size + telegram.reply_length - CHECKSUM_BYTES
    shortest = HEAD.size + telegram.least - CHECKSUM_BYTES
    return Telegram(data, reply_length, match, confirmed_by_echo=False, shortest=shortest)


def _inner(window: bytes, number: int) -> bytes | None:
    """Unit and PDU of the packet at the very start, if it is whole and ours."""
    if len(window) < HEAD.size:
        return None
    transaction, protocol, length = HEAD.unpack_from(window)
    if (transaction, protocol) != (number, 0) or not LENGTH_MIN <= length <= LENGTH_MAX:
        return None
    inner = window[HEAD.size : HEAD.size + length]
    return inner if len(inner) == length else None
