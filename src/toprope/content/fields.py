"""Reading the fields of a document with complaints: each says the line and the cure. Pure."""

from collections.abc import Collection
from typing import Any

from toprope.competency.api import Document, Problem, Where, suggest


class Fields:
    """The fields of one mapping at `where` in a document. What is wrong is added to `problems`.

    A text that is wrong reads as None, a list as no entries, so that reading can go on to the next mistake.
    """

    def __init__(
        self,
        document: Document,
        problems: list[Problem],
        where: Where = (),
        *,
        required: Collection[str],
        optional: Collection[str] = (),
    ) -> None:
        self.document, self.problems, self.where = document, problems, where
        value = document.value
        for step in where:
            value = value[step]
        self.values: dict[str, Any] = value if isinstance(value, dict) else {}
        known = [*required, *optional]
        if not isinstance(value, dict):
            self.complain((), "A mapping is needed here.", f"Write the fields {', '.join(required)}.")
            return
        for name in required:
            if name not in value:
                self.complain((), f"The field '{name}' is missing.", "Add it.")
        for name in value:
            if name not in known:
                self.complain((name,), f"There is no field '{name}' here.", suggest(name, known))

    def complain(self, where: Where, message: str, cure: str) -> None:
        self.problems.append(self.document.problem((*self.where, *where), message, cure))

    def text(self, name: str, limit: int) -> str | None:
        """Text of 1 to `limit` characters."""
        if name not in self.values:
            return None
        return self._text((name,), self.values[name], limit)

    def word(self, name: str, known: Collection[str]) -> str | None:
        """One of the known words."""
        if name not in self.values:
            return None
        value = self.values[name]
        if isinstance(value, str) and value in known:
            return value
        self.complain((name,), f"'{str(value)[:40]}' is not known as '{name}'.", suggest(value, known))
        return None

    def whole(self, name: str, low: int, high: int) -> None:
        """A whole number in these bounds."""
        value = self.values.get(name, low)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            message = f"'{name}' is {str(value)[:40]!r}."
            self.complain((name,), message, f"Write a whole number from {low} to {high}.")

    def texts(self, name: str, most: int, limit: int) -> list[str]:
        """A list of 1 to `most` texts, each with 1 to `limit` characters."""
        places = self.entries(name, 1, most)
        found = [self._text((name, n), self.values[name][n], limit) for n in range(len(places))]
        return [text for text in found if text is not None]

    def entries(self, name: str, least: int, most: int) -> list[Where]:
        """Where the entries of a list of `least` to `most` stand."""
        value = self.values.get(name, [])
        if not isinstance(value, list):
            self.complain((name,), f"'{name}' is no list.", "Begin each entry with '- '.")
            return []
        if name in self.values and not least <= len(value) <= most:
            message = f"'{name}' has {len(value)} entries."
            self.complain((name,), message, f"Give it {least} to {most}.")
        return [(*self.where, name, n) for n in range(min(len(value), most))]

    def _text(self, where: Where, value: Any, limit: int) -> str | None:
        name = where[0]
        if not isinstance(value, str):
            self.complain(where, f"'{name}' is no text.", "Put it in quotes, or write the text.")
        elif not value.strip():
            self.complain(where, f"'{name}' is empty.", "Write the text.")
        elif len(value) > limit:
            message = f"'{name}' has {len(value):,} characters, which is too long."
            self.complain(where, message, f"Shorten it to {limit:,}.")
        else:
            return value
        return None
