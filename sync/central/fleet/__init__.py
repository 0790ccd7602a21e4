"""The lockers together: how each does at a glance, what needs a person, where there is room."""
