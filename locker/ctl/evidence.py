"""`lockerctl evidence export | verify`: what happened to one case, for whoever must judge it."""

import argparse
import os
from pathlib import Path

from locker.ctl import site


def arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True)
    export = commands.add_parser("export", help="one file that any browser shows, and that `verify` checks")
    site.with_config(export)
    export.add_argument("--case", required=True, metavar="N", help="its number")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: evidence-N.html")
    export.add_argument("--personal", action="store_true", help="with names and phones, as far as kept")
    export.add_argument(
        "--epoch",
        default="",
        type=_epoch,
        metavar="EPOCH",
        help="an earlier one of this journal; `status` names the present",
    )
    export.set_defaults(run=_export)
    verify = commands.add_parser("verify", help="check such a file; needs no locker and no network")
    verify.add_argument("file", type=Path)
    verify.add_argument("--keys", type=Path, metavar="FILE", help="public keys from whom you trust")
    verify.set_defaults(run=_verify)


def _export(arguments: argparse.Namespace) -> int:
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late: heavy
    from locker.journal.evidence import Signer, export  # noqa: PLC0415  # late
    from locker.journal.reader import Reader  # noqa: PLC0415  # late
    from locker.platform import Keys, KeysError  # noqa: PLC0415  # late
    from sync.trust import known  # noqa: PLC0415  # late

    config = site.config(arguments)
    out = arguments.out or Path(f"evidence-{_file_name(arguments.case)}.html")
    try:
        keys = Keys.load(config.keys_dir, config.locker_id, config.area)
        reader = Reader(config.journal_path, arguments.epoch)
        try:
            # What a key countersigned stays true when it is retired.
            centre = known(keys.centre_sign, reader.centre_keys())
            signer = Signer(config.locker_id, keys.own.public, keys.own.sign, centre)
            data = export(reader, arguments.case, signer, personal=arguments.personal)
        finally:
            reader.close()
        mode = 0o600 if arguments.personal else 0o644  # names are for whoever asked for them
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
    except (JournalError, KeysError) as error:
        return site.wrong(str(error))
    except FileExistsError:
        return site.wrong(f"{out} is there already: name another with --out")
    except OSError as error:
        return site.wrong(f"{out}: {error.strerror}")
    print(f"{out}: {len(data)} bytes; check it with: lockerctl evidence verify {out}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from locker.journal import verify_evidence  # noqa: PLC0415  # late

    keys = ["--keys", str(arguments.keys)] if arguments.keys else []
    return verify_evidence.main([str(arguments.file), *keys])


def _epoch(text: str) -> str:
    """As `Reader` takes it; empty is the present one. Raises ValueError."""
    return f"{int(text, 16):032x}" if text else ""


def _file_name(case: str) -> str:
    return "".join(each if each.isalnum() or each in "-_" else "_" for each in case)[:80]
