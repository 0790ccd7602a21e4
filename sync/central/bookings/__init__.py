"""Booked slots: a compartment is kept free for one drop-off until its slot lapses."""
