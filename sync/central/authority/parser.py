"""The words of `commands`, apart from what they need: ``--help`` answers at once."""

from pathlib import Path
from typing import Any


def add(commands: Any, config: Path) -> None:
    """``commands``: what argparse's ``add_subparsers`` returned."""
    authority = commands.add_parser("authority", help="the fleet's own certificates")
    parts = authority.add_subparsers(dest="what", required=True, metavar="WHAT")
    made = parts.add_parser("init", help="make the root; its key lies in [authority] folder")
    made.add_argument("--name", default="DocLocker", help="in the root certificate")
    server = parts.add_parser("server", help="a certificate for the broker, or for the hub's own address")
    server.add_argument("name", metavar="NAME", help="of the two files: NAME.key and NAME.pem")
    server.add_argument("--host", action="append", required=True, help="name or address; may be repeated")
    server.add_argument("--out", type=Path, required=True, metavar="DIR")
    hub = parts.add_parser("hub", help="certificates by which the hub's processes speak to the broker")
    hub.add_argument("--out", type=Path, required=True, metavar="DIR")
    renew = parts.add_parser("renew", help="make those anew that are due; every day")
    renew.add_argument("folder", type=Path, nargs="+", metavar="DIR", help="where NAME.pem and NAME.key lie")
    parts.add_parser("list", help="all certificates, and until when they are good")
    revoke = parts.add_parser("revoke", help="end every certificate of one name")
    revoke.add_argument("name", metavar="NAME")
    revoke.add_argument("--why", default="", help="for the journal")
    parts.add_parser("sign", help="sign what waited for the root's key; write the list of revoked ones anew")
    broker = parts.add_parser("broker", help="write mosquitto's configuration and access list")
    broker.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write it")
    broker.add_argument(
        "--folder", default="", metavar="DIR", help="where the broker finds it; default: as written"
    )
    broker.add_argument("--address", default="", help="to listen at; default: every one")
    answer = parts.add_parser("answer", help="answer a request that somebody carried here in a file")
    answer.add_argument("request", type=Path, metavar="FILE")
    answer.add_argument("--out", type=Path, required=True, metavar="FILE")
    for name in ("init", "server", "hub", "renew", "revoke", "sign", "answer"):
        parts.choices[name].add_argument(
            "--passphrase-stdin", action="store_true", help="read the root's passphrase from standard input"
        )
    claim = commands.add_parser("claim", help="let one new locker come in by itself, once")
    claim.add_argument("--locker", required=True, help="its name: a-z, 0-9 and -, at most 24")
    claim.add_argument("--area", required=True, help="lockers of one area take each other's drop-off tokens")
    claim.add_argument(
        "--plan", type=Path, metavar="FILE", help="locker.toml's part about boards and compartments"
    )
    claim.add_argument("--hours", type=int, default=0, help="how long it is good; default: [authority]")
    claim.add_argument("--out", type=Path, metavar="FILE", help="the claim, to be carried; default: a code")
    for parser in (*parts.choices.values(), claim):
        parser.add_argument("--config", type=Path, default=config, metavar="FILE")
