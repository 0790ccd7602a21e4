"""Doors that the centre keeps shut to what is new, and what became of everything that it said to a locker."""
