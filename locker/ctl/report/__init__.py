"""What `lockerctl selftest` says and writes: sentences, JSON, and a page with plots that stands alone."""
