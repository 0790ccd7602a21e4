"""`hw-sim demo`: the whole product on this machine, with a cabinet to click on. Ctrl-C ends it all."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any, Final

import httpx

from hw_sim import clock
from hw_sim.people import DidNotHappenError, Office, Phone, doors_seen, until
from hw_sim.scratch import heed_endings, ignore_endings, scratch
from hw_sim.stack import OPERATOR, NotReadyError, Ports, Stack

CASE = "DEMO-1"
NAME, NUMBER = "张伟", "13812345678"
PIN = "246810"
LOOK_S: Final = 0.5


def arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # nothing to choose: one command shows it all


def run(options: argparse.Namespace) -> int:
    del options
    heed_endings()
    with scratch("demo") as folder:
        stack = Stack(folder / "state", Ports.chosen(preferred=True), eeprom=True)
        try:
            print("starting broker, hub, cabinet, locker and phone …", flush=True)
            stack.start()
            _show(stack, _prepare(stack))
            while not (name := stack.ended()):
                clock.pause_s(LOOK_S)
            print(f"hw-sim demo: {name} has ended:\n{stack.log_tail(name)}", file=sys.stderr)
        except KeyboardInterrupt:
            print("\nstopping …", flush=True)
            return 0
        except (NotReadyError, DidNotHappenError, httpx.HTTPError) as error:
            print(f"hw-sim demo: {error}", file=sys.stderr)
        finally:
            ignore_endings()
            stack.stop()
    return 1


def _prepare(stack: Stack) -> Mapping[str, Any]:
    """A case that passed pre-review, and a helper: both work at once."""
    office, phone = Office(stack), Phone(stack)
    badge = office.enrol("helper-1", "赵敏", PIN)
    until("every door is seen", lambda: doors_seen(stack))
    until("the locker is online at the hub", lambda: office.locker()["presence"] == "online")
    office.pre_review(CASE, NAME, NUMBER)
    message = phone.awaits(NUMBER, "drop_off_code", CASE)
    label = office.outgoing("DEMO-2", NAME, NUMBER)["label_token"]
    return {"code": message["code_shown"], "badge": badge, "label": label}


def _show(stack: Stack, made: Mapping[str, Any]) -> None:
    print(
        f"""
  Kiosk (touch screen)   {stack.kiosk_url}
  Cabinet (its doors)    {stack.panel_url}
  Phone (its messages)   {stack.phone_url}
  Console (the centre)   {stack.hub_url}      name {OPERATOR}, password {stack.operator_password}

  1  Drop off:  type this code at the kiosk                 {made["code"]}
     A door springs open in the cabinet: put the envelope in, click the door shut.
  2  Be the helper:  hold the badge before the scanner (on the cabinet's page), PIN {PIN}
     badge  {made["badge"]}
     Intake: take the envelope out.  Load: show this label
     label  {made["label"]}
  3  Pick up:  the pickup code is on the phone.

  Ctrl-C ends everything.
""",
        flush=True,
    )
