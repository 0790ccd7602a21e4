"""Many lockers without doors that speak the wire contract to a real hub over a real broker.

Written from docs/wire.md alone, a second time: it shares no code with the product, so that
each judges the other.
"""
