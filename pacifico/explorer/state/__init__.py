"""State of the explorer without widgets: the document on the map, its history and its file."""

from pacifico.explorer.state.document import Document, DrawnZone, EditStep
from pacifico.explorer.state.history import History
from pacifico.explorer.state.session import Session

__all__ = ["Document", "DrawnZone", "EditStep", "History", "Session"]
