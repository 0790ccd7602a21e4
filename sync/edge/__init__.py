"""The locker's end of the link: presence, publisher and directives around one `sync.link.link.Link`."""

from sync.edge.edge import Edge, EdgeStatus, Reports
from sync.edge.hello import ForkFound, Outcome
from sync.edge.ports import Identity

__all__ = ["Edge", "EdgeStatus", "ForkFound", "Identity", "Outcome", "Reports"]
