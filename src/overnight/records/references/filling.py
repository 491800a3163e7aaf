"""One record on its way to a `Reference`: what has a column, and what has none."""


class Filling:
    """fields: by column, one value each. lists: by column, all values in order. other: by the file's own name."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.other: dict[str, list[str]] = {}

    def keep(self, name: str, text: str) -> None:
        """What has no column. Nothing for an empty text, here and below."""
        if text:
            self.other.setdefault(name, []).append(text)

    def put(self, column: str, text: str, name: str) -> None:
        """The first value of a column counts; another one is kept."""
        if text and self.fields.setdefault(column, text) != text:
            self.keep(name, text)

    def add(self, column: str, text: str) -> None:
        if text:
            self.lists.setdefault(column, []).append(text)
