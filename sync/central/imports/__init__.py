"""Cases and results from a spreadsheet: looked through as a whole, then taken line by line, each once."""
