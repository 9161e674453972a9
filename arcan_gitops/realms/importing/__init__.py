"""Secrets as other tools keep them, read into keys and values: one module a format.

Nothing here touches a disk or a document. An error names a line or a key, never a value.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any, Final

from arcan_gitops.realms.importing import dotenv, kubernetes, mapping
from arcan_gitops.realms.importing.problems import (
    MAX_VALUE_BYTES,
    STANDARD_INPUT,
    BadImport,
    refuse_encrypted,
)
from arcan_gitops.realms.place import Place

__all__ = ["FORMATS", "MAX_VALUE_BYTES", "STANDARD_INPUT", "BadImport", "Values", "read_values"]

Values = dict[str, Any]  # key -> str, int, float or bool, in the order of the file

FORMATS: Final = ("dotenv", "json", "yaml", "kubernetes")
_DOTENV_NAME: Final = re.compile(r"(?:.*\.)?env(?:\..*)?", re.IGNORECASE)
_DOTENV_LINE: Final = re.compile(rb"(?:export[ \t]+)?[A-Za-z0-9_][A-Za-z0-9_.-]*[ \t]*=")


def read_values(data: bytes, source: str, format: str | None = None, *, place: Place) -> Values:
    """The keys and values of a file that `source` names, on their way to `place`, which hints name.

    `format` is one of `FORMATS`, or None to go by the name and the content. Raises `BadImport`.
    """
    chosen = format or _format_of(data, source)
    if chosen == "dotenv":
        values = dotenv.read(data, source)
    else:
        as_json = chosen == "json" or (chosen == "kubernetes" and data.lstrip().startswith(b"{"))
        tree = mapping.parse(data, source, as_json=as_json)
        is_secret = chosen == "kubernetes" or (format is None and kubernetes.is_secret(tree))
        read = kubernetes.values_of if is_secret else mapping.values_of
        values = read(tree, source, place)
    refuse_encrypted(values, source, place)
    if not values:
        raise BadImport(f"{source}: holds no value")
    for key, value in values.items():
        if isinstance(value, str) and len(value.encode()) > MAX_VALUE_BYTES:
            raise BadImport(
                f"{source}: key {key!r}: has more than the {MAX_VALUE_BYTES} bytes of a Kubernetes Secret"
            )
    return values


def _format_of(data: bytes, source: str) -> str:
    """`dotenv`, `json` or `yaml`; a Kubernetes Secret is told by what is in it."""
    name = PurePath(source).name.lower()
    if name.endswith((".yaml", ".yml")):
        return "yaml"
    if name.endswith(".json"):
        return "json"
    if _DOTENV_NAME.fullmatch(name):
        return "dotenv"
    lines = (line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    if _DOTENV_LINE.match(first):
        return "dotenv"
    return "json" if first.startswith(b"{") else "yaml"
