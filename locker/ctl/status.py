"""`lockerctl status`."""

import argparse
import json

from locker.ctl import site


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.set_defaults(run=_status)


def _status(arguments: argparse.Namespace) -> int:
    try:
        answer = site.ask_daemon(site.config(arguments), {"do": "status"})
    except site.NoAnswer as problem:
        return site.wrong(str(problem))
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0
