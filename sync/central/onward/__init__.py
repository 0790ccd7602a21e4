"""Where items go that left a locker uncollected: to the window, or out by post."""
