"""Custody beyond the locker: who holds what now, slips, dead lockers, stocktakes, evidence."""
