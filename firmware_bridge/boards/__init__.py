"""Board profiles: what one kind of board speaks and bears, as data. A new board is a new TOML file here."""

from firmware_bridge.boards.check import ADDRESS_MAX
from firmware_bridge.boards.load import load, named, names, parse
from firmware_bridge.boards.profile import BoardProfile, Inputs, Locks

__all__ = ["ADDRESS_MAX", "BoardProfile", "Inputs", "Locks", "load", "named", "names", "parse"]
