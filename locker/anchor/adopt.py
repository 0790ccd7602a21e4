"""Beginning the anchor for a locker, and having it follow what somebody on site has meant. Beside a stopped
daemon. Raises PlaceError, and a JournalError where the journal cannot be read."""

from contextlib import closing

from locker.anchor.keeper import place_of
from locker.anchor.record import NOWHERE, Mark, Sight
from locker.config import Config
from locker.domain.history import Break
from locker.journal.holds import missing
from locker.journal.reader import Reader


def end_of(config: Config) -> Mark:
    """Where the journal ends; `NOWHERE` where there is none yet."""
    if not config.journal_path.exists():
        return NOWHERE
    with closing(Reader(config.journal_path)) as reader:
        seq, link = reader.head()
        return Mark(reader.epoch(), seq, link)


def lacks(config: Config, sight: Sight) -> Break | None:
    """Why the journal does not have what stands in the place; None where it has."""
    mark = sight.mark
    if mark is None or mark.seq == 0:
        return None
    if not config.journal_path.exists():
        return Break.SUPERSEDED
    return missing(config.journal_path, mark.epoch, mark.seq, mark.head)


def begin(config: Config) -> Sight:
    """In a place without a record of this locker; one that has a record is left as it is."""
    place = place_of(config)
    assert place is not None  # noqa: S101  # whoever calls has looked
    sight = place.look()
    return sight if sight.mark else place.put(sight, end_of(config))


def follow(config: Config) -> None:
    """Whatever stands there: from now on it is the present end of the journal. Nothing without a place."""
    place = place_of(config)
    if place is not None:
        place.put(place.look(), end_of(config))


def clear(config: Config) -> None:
    """As it came from its maker: the module's next locker is another one. Nothing without a place."""
    place = place_of(config)
    if place is not None:
        place.clear()
