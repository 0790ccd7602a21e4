"""Puts a locker or a hub onto a machine. Standard library alone: it runs before anything is installed."""
