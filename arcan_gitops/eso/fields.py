"""One mapping of a manifest, read as the API server would: wrong types and unknown names are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import did_you_mean


class ObjectFields:
    """Every accessor raises `ArcanError` naming the object and the path of the field."""

    def __init__(self, where: str, path: str, values: Mapping[str, Any]) -> None:
        self._where = where
        self._path = path
        self._values = values
        self._asked: set[str] = set()

    def fail(self, field: str, problem: str, hint: str | None = None) -> NoReturn:
        """Raise `ArcanError` at a field."""
        path = f"{self._path}.{field}" if self._path and field else self._path or field
        raise ArcanError(f"{self._where}: {path} {problem}", hint=hint)

    def __contains__(self, field: str) -> bool:
        return self._values.get(field) is not None

    def _get(self, field: str) -> Any:
        self._asked.add(field)
        return self._values.get(field)

    def names(self) -> tuple[str, ...]:
        """The fields that are set."""
        return tuple(name for name, value in self._values.items() if value is not None)

    def ignore(self, *fields: str) -> None:
        """Fields that are known and make no difference to a refresh."""
        self._asked.update(fields)

    def done(self) -> None:
        """Refuse unknown fields, as `kubectl apply` does."""
        for field in self._values:
            if field not in self._asked:
                self.fail(field, "is not a known field", did_you_mean(field, self._asked))

    def optional_text(self, field: str) -> str | None:
        """A string, or None."""
        value = self._get(field)
        if value is not None and not isinstance(value, str):
            self.fail(field, f"must be a string, not {_kind(value)}")
        return value

    def text(self, field: str, default: str | None = None) -> str:
        """A string; without a default, required."""
        value = self.optional_text(field)
        if value is None:
            if default is None:
                self.fail(field, "is missing")
            return default
        return value

    def choice(self, field: str, known: tuple[str, ...], default: str) -> str:
        """One of the texts of an enum."""
        value = self.text(field, default)
        if value not in known:
            self.fail(field, f"must be one of {', '.join(known)}", did_you_mean(value, known))
        return value

    def flag(self, field: str) -> bool:
        """A boolean, false by default."""
        value = self._get(field)
        if value is not None and not isinstance(value, bool):
            self.fail(field, f"must be true or false, not {_kind(value)}")
        return bool(value)

    def mapping(self, field: str) -> ObjectFields | None:
        """A nested mapping, or None."""
        value = self._get(field)
        if value is None:
            return None
        path = f"{self._path}.{field}" if self._path else field
        if not isinstance(value, Mapping):
            self.fail(field, f"must be a mapping, not {_kind(value)}")
        return ObjectFields(self._where, path, value)

    def required(self, field: str) -> ObjectFields:
        """A nested mapping that must be there."""
        value = self.mapping(field)
        if value is None:
            self.fail(field, "is missing")
        return value

    def mappings(self, field: str) -> tuple[ObjectFields, ...]:
        """A list of mappings."""
        value = self._get(field)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fail(field, f"must be a list, not {_kind(value)}")
        path = f"{self._path}.{field}" if self._path else field
        for index, item in enumerate(value):
            if not isinstance(item, Mapping):
                self.fail(f"{field}[{index}]", f"must be a mapping, not {_kind(item)}")
        return tuple(ObjectFields(self._where, f"{path}[{i}]", item) for i, item in enumerate(value))

    def texts(self, field: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._get(field)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fail(field, "must be a list of strings")
        return tuple(value)

    def text_map(self, field: str) -> dict[str, str]:
        """A mapping of strings."""
        value = self._get(field)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.fail(field, f"must be a mapping, not {_kind(value)}")
        for name, item in value.items():
            if not isinstance(item, str):
                self.fail(f"{field}.{name}", f"must be a string, not {_kind(item)}")
        return dict(value)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "a mapping"
