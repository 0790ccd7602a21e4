"""`lockerctl bus explain`: one frame in words. Needs no daemon and no configuration."""

import argparse
import json

from locker.ctl import site


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", required=True, metavar="NAME", help="of the board, such as waveshare-32")
    parser.add_argument("--request", type=octets, metavar="HEX", help="what it is the answer to")
    parser.add_argument("frame", type=octets, nargs="+", metavar="HEX", help="with or without spaces")
    parser.set_defaults(run=_explain)


def octets(text: str) -> bytes:
    """Raises ArgumentTypeError."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no hex: write 01 05 or 0105") from None
    if not found:
        raise argparse.ArgumentTypeError("holds no byte")
    return found


def _explain(arguments: argparse.Namespace) -> int:
    from firmware_bridge import boards  # noqa: PLC0415  # late: heavy
    from firmware_bridge.codecs import explain  # noqa: PLC0415  # late
    from firmware_bridge.errors import ProfileError  # noqa: PLC0415  # late

    try:
        profile = boards.load(arguments.profile)
    except ProfileError as error:
        site.wrong(str(error))
        return 2
    said = explain(profile, b"".join(arguments.frame), arguments.request)
    print(json.dumps(said.as_dict(), ensure_ascii=False))
    return 0 if said.ok else 1
