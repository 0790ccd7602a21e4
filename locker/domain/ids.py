"""Names of things. Each is its own type so that one is never taken for another."""

from typing import NewType

LockerId = NewType("LockerId", str)
"""``[a-z0-9-]{1,32}``; also the MQTT client id and the certificate's name."""
AreaId = NewType("AreaId", str)
"""Lockers of one area honour each other's drop-off and load tokens."""
CompartmentNumber = NewType("CompartmentNumber", int)
"""The number painted on the door, from 1."""
CaseNumber = NewType("CaseNumber", str)
AuthorisationId = NewType("AuthorisationId", str)
"""The centre's permission for one drop-off."""
BookingId = NewType("BookingId", str)
"""One booked slot, named by the centre."""
ItemId = NewType("ItemId", str)
"""An outgoing item, named by the centre."""
DepositId = NewType("DepositId", str)
"""One stay of one item in one compartment, named by the locker."""
CodeId = NewType("CodeId", str)
"""One open code record; never the code."""
EntrustmentId = NewType("EntrustmentId", str)
"""One agent for one item, named by the centre."""
OrderId = NewType("OrderId", str)
"""The centre's order of a new code for an old one, named by the centre."""
GrantId = NewType("GrantId", str)
"""The right to pulse one door once."""
StaffId = NewType("StaffId", str)
StocktakeId = NewType("StocktakeId", str)
"""One stocktake, named by the locker."""
ActId = NewType("ActId", str)
"""One order of the centre to do something at once, named by the centre."""
BoardId = NewType("BoardId", str)
"""``A/3``: line and address."""
Seq = NewType("Seq", int)
"""Place in a log, gapless from 1."""
Epoch = NewType("Epoch", str)
"""128 random bits in hex, born with a database file."""
