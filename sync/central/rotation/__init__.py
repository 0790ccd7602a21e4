"""The key by which the centre signs, and the one that follows it.

``keyfile``: the file that holds them and the steps from one to the next. ``telling``: what each locker is
told of it, and holds. ``commands``: ``locker-central keys``. docs/decisions/0029-centre-keys.md says why.
"""
