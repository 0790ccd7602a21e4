"""`lockerctl provision`: a claim becomes a locker's identity; daily, whether its certificate is due."""

import argparse
import contextlib
import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Final

from locker.ctl import site

if TYPE_CHECKING:
    from locker.config import Config
    from locker.ctl.provision_steps import Place
    from locker.platform import Platform
    from sync.wire.provision import Claim

KEYS: Final = "keys"
"""Beside the configuration, where none says otherwise."""


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--claim", type=Path, metavar="FILE", help="from `locker-central claim --out`")
    how.add_argument("--code", help="from `locker-central claim`; with --hub and --locker")
    how.add_argument("--renew", action="store_true", help="the next certificate, if it is due; once a day")
    parser.add_argument("--hub", default="", metavar="URL")
    parser.add_argument("--locker", default="", metavar="NAME")
    parser.add_argument("--request", type=Path, metavar="FILE", help="write what is asked, to be carried")
    parser.add_argument("--answer", type=Path, metavar="FILE", help="what was carried back")
    parser.add_argument("--owner", default="", metavar="USER", help="as whom the daemon runs")
    parser.add_argument(
        "--state-dir", default="", metavar="DIR", help="of the journal; default /var/lib/doclocker"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.set_defaults(run=_provision)


def _provision(arguments: argparse.Namespace) -> int:
    from locker.ctl.provision_hub import CannotProvision  # noqa: PLC0415  # late: heavy
    from locker.platform import Platform  # noqa: PLC0415  # late
    from sync.certificates import BadCertificate  # noqa: PLC0415  # late
    from sync.wire.provision import BadProvision  # noqa: PLC0415  # late

    try:
        with contextlib.closing(Platform.real()) as platform:
            if arguments.renew:
                return _renew(arguments, platform)
            return _first(arguments, platform)
    except (CannotProvision, BadProvision, BadCertificate) as error:
        return site.wrong(str(error))
    except OSError as error:
        return site.wrong(f"{error.filename or ''}: {error.strerror}")


def _place(arguments: argparse.Namespace) -> "Place":
    from locker.ctl.provision_files import Shelf, owner_of  # noqa: PLC0415  # late
    from locker.ctl.provision_steps import STATE_DIR, Place  # noqa: PLC0415  # late

    shelf = Shelf(arguments.config.parent / KEYS, owner_of(arguments.owner))
    return Place(arguments.config, shelf, arguments.state_dir or STATE_DIR)


def _first(arguments: argparse.Namespace, platform: "Platform") -> int:
    from locker.ctl import provision_steps as steps  # noqa: PLC0415  # late
    from locker.ctl.provision_hub import CannotProvision, HttpsHub  # noqa: PLC0415  # late
    from sync.wire import provision  # noqa: PLC0415  # late

    claim, place = _claim(arguments), _place(arguments)
    if steps.is_done(place, claim):
        print(f"{claim.locker} is provisioned already, by this claim")
        return 0
    hub = HttpsHub(claim.hub, claim.trust.root)
    if arguments.dry_run:
        return _dry_run(place, claim, hub)
    pending = steps.prepare(place, claim, platform.random_bytes)
    if arguments.request:
        from locker.ctl import files  # noqa: PLC0415  # late

        asked = b64encode(steps.request(pending, claim)).decode()
        files.put(arguments.request, json.dumps({"request": asked}) + "\n")
        print(
            f"carry {arguments.request} to the hub: locker-central authority answer. Nothing in it is secret"
        )
        return 0
    if arguments.answer:
        try:
            frame = b64decode(json.loads(arguments.answer.read_text("ascii"))["answer"], validate=True)
        except (ValueError, KeyError, TypeError) as error:
            raise CannotProvision(f"{arguments.answer}: no answer of a hub") from error
    elif pending.answer:
        frame = b64decode(pending.answer)
    else:
        frame = hub.post(provision.CLAIM_PATH, steps.request(pending, claim))
    told = steps.take(place, pending, frame)
    print(f"{claim.locker} in {told['area']} is provisioned; its keys are in {place.shelf.folder}")
    planned = steps.planned(place)
    if not place.config.exists():
        print(f"{planned} is the head of {place.config.name}: write lines, boards and compartments below it")
    elif planned.exists():
        print(f"{place.config} was left as it is; the hub's plan is in {planned}")
    _begin_anchor(place)
    _seal_again(place)
    print("Start it: restart the machine, or systemctl start lockerd. Every day: lockerctl provision --renew")
    return 0


def _begin_anchor(place: "Place") -> None:
    """Where the plan names a place outside the card, and nobody has begun it yet."""
    from locker.anchor import adopt  # noqa: PLC0415  # late: heavy
    from locker.anchor.place import PlaceError  # noqa: PLC0415  # late
    from locker.config import ConfigError, load  # noqa: PLC0415  # late
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late

    try:
        config = load(place.config)
        if config.anchor.file:
            adopt.begin(config)
    except ConfigError:
        return  # there is none yet, or it is told at the start
    except (PlaceError, JournalError) as error:
        print(f"the rollback anchor is not begun ({error}): later, lockerctl anchor adopt")


def _seal_again(place: "Place") -> None:
    """A locker whose keys were sealed has them sealed after a new claim as well."""
    from locker.ctl import sealing  # noqa: PLC0415  # late: heavy
    from locker.ctl.provision_hub import CannotProvision  # noqa: PLC0415  # late
    from locker.keyfiles import WITH, SealedKey  # noqa: PLC0415  # late
    from locker.platform import KeysError  # noqa: PLC0415  # late

    if not sealing.is_on(place.shelf.folder):
        return
    try:
        sealing.seal(_configured(place), WITH[0], place.shelf.owner)
    except (CannotProvision, SealedKey, KeysError, OSError) as error:
        print(f"the new keys lie open ({error}): later, lockerctl keys seal")


def _configured(place: "Place") -> "Config":
    """Raises CannotProvision."""
    from locker.config import ConfigError, load  # noqa: PLC0415  # late: heavy
    from locker.ctl.provision_hub import CannotProvision  # noqa: PLC0415  # late

    try:
        return load(place.config)
    except ConfigError as error:
        raise CannotProvision(str(error)) from error


def _claim(arguments: argparse.Namespace) -> "Claim":
    """Raises CannotProvision, BadProvision, OSError."""
    from locker.ctl.provision_hub import CannotProvision, pinned  # noqa: PLC0415  # late
    from sync.wire import provision  # noqa: PLC0415  # late

    if arguments.claim:
        return provision.read_claim(arguments.claim.read_text(encoding="utf-8"))
    if not arguments.hub or not arguments.locker:
        raise CannotProvision("a code needs --hub and --locker beside it")
    secret, pin = provision.read_code(arguments.code)
    return provision.Claim(arguments.locker, arguments.hub, secret, pinned(arguments.hub, pin))


def _dry_run(place: "Place", claim: "Claim", hub: object) -> int:
    from locker.ctl import provision_files as names  # noqa: PLC0415  # late
    from locker.ctl.provision_hub import HttpsHub  # noqa: PLC0415  # late

    assert isinstance(hub, HttpsHub)  # noqa: S101  # `_first` makes one
    hub.trust()
    print(f"{claim.hub} answers, and is whom the claim names. Nothing was asked of it and nothing written.")
    print(f"{claim.locker} would be asked for; then these files would be there:")
    for name in (names.OWN, names.CENTRE, names.ROOT, names.LINK, names.HUB):
        print(f"  {place.shelf.folder / name}")
    is_there = place.config.exists()
    print(f"  {place.config}{'.planned (the one that is there stays)' if is_there else ''}")
    return 0


def _renew(arguments: argparse.Namespace, platform: "Platform") -> int:
    from locker.ctl import provision_steps as steps  # noqa: PLC0415  # late
    from locker.ctl.provision_files import ROOT, Shelf, owner_of  # noqa: PLC0415  # late
    from locker.ctl.provision_hub import HttpsHub, broker_takes  # noqa: PLC0415  # late
    from sync import certificates  # noqa: PLC0415  # late

    config = site.config(arguments)
    shelf = Shelf(config.keys_dir, owner_of(arguments.owner))
    hub = HttpsHub(steps.hub_url(shelf), shelf.text(ROOT))

    def takes(pair: Path) -> bool | None:
        return broker_takes(config.mqtt.host, config.mqtt.port, config.keys_dir / ROOT, pair)

    if arguments.dry_run:
        facts = certificates.read(shelf.text("link.pem"))
        print(f"good until {certificates.moment_of(facts.not_after_ms).date()}; nothing was asked for")
        return 0
    done = steps.renew(shelf, config.locker.id, platform.clock.wall_ms(), hub, takes)
    until = certificates.moment_of(done.facts.not_after_ms).date()
    due = certificates.moment_of(done.facts.renewal_ms).date()
    told = {
        "not due": f"good until {until}; the next is asked for from {due}",
        "waits": f"the next one is here, good until {until}; it is worn once the broker takes it",
        "worn": f"renewed: good until {until}; the daemon shows it at its next connection",
    }
    print(told[done.state])
    return 0
