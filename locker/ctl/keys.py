"""`lockerctl keys new | seal | recover`."""

import argparse
import os
from pathlib import Path

from locker import keyfiles
from locker.ctl import site


def arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True)
    new = commands.add_parser("new", help="make the locker's own key; prints its public half")
    new.add_argument("directory", type=Path)
    new.add_argument("locker")
    new.set_defaults(run=_new)
    seal = commands.add_parser(
        "seal", help="seal the keys to this machine: a copy of its files opens nothing"
    )
    seal.add_argument(
        "--with-key", choices=keyfiles.WITH, default=keyfiles.WITH[0], help="auto: what there is"
    )
    kept = seal.add_mutually_exclusive_group(required=True)
    kept.add_argument("--recovery", type=Path, metavar="FILE", help="keep the open keys there; for a safe")
    kept.add_argument(
        "--no-recovery", action="store_true", help="a lost card or TPM then means a claim under a new name"
    )
    recover = commands.add_parser("recover", help="the keys from that file, open again")
    recover.add_argument("recovery", type=Path, metavar="FILE")
    for command, run in ((seal, _seal), (recover, _recover)):
        site.with_config(command)
        command.add_argument("--owner", default="", metavar="USER", help="as whom the daemon runs")
        command.add_argument("--units", type=Path, metavar="DIR", help="where systemd has its units")
        command.set_defaults(run=run)


def _new(arguments: argparse.Namespace) -> int:
    from locker.platform import KeysError, write_own_key  # noqa: PLC0415  # late: heavy

    try:
        print(write_own_key(arguments.directory, arguments.locker))
    except KeysError as error:
        return site.wrong(str(error))
    return 0


def _seal(arguments: argparse.Namespace) -> int:
    return _done(arguments, sealing=True)


def _recover(arguments: argparse.Namespace) -> int:
    return _done(arguments, sealing=False)


def _done(arguments: argparse.Namespace, *, sealing: bool) -> int:
    from locker.ctl import sealing as steps  # noqa: PLC0415  # late: heavy
    from locker.ctl.provision_files import owner_of  # noqa: PLC0415  # late
    from locker.ctl.provision_hub import CannotProvision  # noqa: PLC0415  # late
    from locker.platform import KeysError  # noqa: PLC0415  # late

    config, units = site.config(arguments), arguments.units
    if os.geteuid() != 0:
        return site.wrong("sealing and opening is for root: sudo lockerctl keys …")
    try:
        owner = owner_of(arguments.owner)
        if sealing:
            steps.seal(config, arguments.with_key, owner, units, arguments.recovery)
        else:
            steps.recover(config, arguments.recovery, owner, units)
    except (steps.CannotSeal, keyfiles.SealedKey, CannotProvision, KeysError) as error:
        return site.wrong(str(error))
    except OSError as error:
        return site.wrong(f"{error.filename or ''}: {error.strerror}")
    if not sealing:
        print(f"the keys lie open in {config.keys_dir}: lockerctl keys seal")
        return 0
    how = arguments.with_key
    print(f"the keys in {config.keys_dir} are sealed to this machine ({how}); systemd opens them for lockerd")
    print("Flash memory keeps old copies of what lay open: best sealed before a card has served.")
    if arguments.recovery:
        print(f"{arguments.recovery} holds them open: take it out of this machine now, into a safe")
    return 0
