"""A dotenv file as a source, with the report of the other sources."""

from __future__ import annotations

from collections.abc import Iterator

from arcan_gitops.migrate.source import Found, Left, Origin
from arcan_gitops.migrate.texts import of_value
from arcan_gitops.realms.importing import read_values
from arcan_gitops.realms.place import Place


class DotenvSource:
    """The keys of one file."""

    below = ""

    def __init__(self, data: bytes, name: str, place: Place) -> None:
        """Reads all of it, on its way to `place`. Raises `BadImport`, naming a line."""
        self.name = name
        self._values = read_values(data, name, "dotenv", place=place)

    def read(self) -> Iterator[Found | Left]:
        """As `Source.read`."""
        for key, value in self._values.items():
            yield of_value(Origin(key), value)

    def origin_of(self, key: str, property: str | None) -> Origin:
        """A file has no ExternalSecrets; a key is its name."""
        return Origin(key, property)
