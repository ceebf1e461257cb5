"""Why an act was not done. Each edge (command line, later web and API) turns these into its own words and codes."""


class Refusal(Exception):
    """`field` is the input that stands in the way, `message` says why and names the fix; both safe to show."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class NotFound(Refusal):
    """There is no such row, or it is in the trash."""


class AlreadyThere(Refusal):
    """A row of that name exists."""


class InTrash(Refusal):
    """A row of that name is in the trash, which keeps the name for its owner."""


class Invalid(Refusal):
    """The input breaks a rule of the address, of the pattern or of the directory."""


class InUse(Refusal):
    """Other rows stand on this one."""
