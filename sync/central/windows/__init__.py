"""Windows and departments as a register, and whose they are."""
