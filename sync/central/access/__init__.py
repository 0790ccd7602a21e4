"""Who may do what at the hub: accounts, sessions, keys, one matrix, and a journal of what was done."""
