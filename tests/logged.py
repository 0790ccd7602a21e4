"""Finds log messages that do not fit their arguments."""

import logging


class BadlyFormatted(logging.Handler):
    """Formats every record it sees and keeps a complaint for each that cannot be."""

    def __init__(self) -> None:
        super().__init__()
        self.complaints: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        try:
            record.getMessage()
        except (TypeError, ValueError, KeyError) as error:
            where = f"{record.pathname}:{record.lineno}"
            self.complaints.append(f"{where}: {record.msg!r} with {record.args!r}: {error}")
