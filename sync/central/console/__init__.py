"""The operators' pages: made on the server, no script, no network, Chinese and English on every page."""
