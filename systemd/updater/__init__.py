"""From one release to the next, and back by itself: `docs/decisions/0024-updates.md`.

`guard` and everything it imports is standard library alone: it must run where no release does.
"""
