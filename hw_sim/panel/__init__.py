"""The virtual cabinet in a browser, and the same by JSON for programs."""
