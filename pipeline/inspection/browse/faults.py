"""What a request can meet that is no fault of the program; each becomes a page with its status."""

from pipeline.errors import PellucidError


class BadRequest(PellucidError):
    """A parameter or path that means nothing here."""


class NotFound(PellucidError):
    """Nothing in this release has that name."""


class NotShown(PellucidError):
    """It may not be shown: its owner asked for that."""


class Changed(PellucidError):
    """The files are not those that the browser has opened."""


class TooSlow(PellucidError):
    """The query was ended at its limit of time."""


STATUS: dict[type[PellucidError], int] = {BadRequest: 400, NotFound: 404, NotShown: 403, Changed: 503, TooSlow: 503}
