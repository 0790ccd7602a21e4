"""What the centre sets of its lockers' limits: for all, for an area, for one; and what of it is in force."""
