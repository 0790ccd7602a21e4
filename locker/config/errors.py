"""What is wrong with a configuration."""

from pathlib import Path


class ConfigError(Exception):
    """The configuration cannot be used. The message names file, line and remedy.

    ``line`` counts from 1; it is 0 where no line is to blame, as with a file that cannot be read.
    """

    def __init__(self, path: Path, line: int, problem: str, remedy: str) -> None:
        where = f"{path}:{line}" if line else str(path)
        super().__init__(f"{where}: {problem}. {remedy}")
        self.path = path
        self.line = line
        self.problem = problem
        self.remedy = remedy
