"""What was uploaded and not yet taken, and which lines of which files were taken. Times are wall ms."""

from typing import ClassVar

from sqlalchemy import BigInteger, Text
from sqlmodel import Field

from sync.central.tables import Base, table_of


class Upload(Base, table=True):
    """A file between its preview and its taking. It holds names and phones: sealed, and gone within a day."""

    __tablename__: ClassVar[str] = "import_upload"

    upload: str = Field(primary_key=True)
    kind: str
    called: str = ""
    made_by: str
    made_ms: int = Field(sa_type=BigInteger)
    sealed: str = Field(default="", sa_type=Text)


class TakenLine(Base, table=True):
    """A line that was taken: the same file again does not take it again."""

    __tablename__: ClassVar[str] = "import_line"

    digest: str = Field(primary_key=True)
    """Keyed, of the kind and the file's bytes."""
    line: int = Field(primary_key=True)
    reference: str
    taken_ms: int = Field(sa_type=BigInteger)


UPLOAD = table_of(Upload)
TAKEN_LINE = table_of(TakenLine)
