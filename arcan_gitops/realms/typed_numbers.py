"""Numbers without quotes that would be served as another text than was typed: `0123` as 83, `1.10` as 1.1.

Source: go.yaml.in/yaml/v3 resolve.go, by whose rules SOPS reads YAML.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from arcan_gitops.errors import ArcanError
from arcan_gitops.golang.yaml import resolve_plain
from arcan_gitops.realms.text import text_of
from arcan_gitops.sops.emit_yaml import plain_scalar


def lines_with_another_number(data: bytes) -> Iterator[int]:
    """The lines of a YAML text, which was read before, where a number would not come out as it is written.

    As SOPS itself writes it (`1e+21`) is as it is written.
    """
    get: Any = CParser(data).get_event
    while not isinstance(event := get(), yaml.StreamEndEvent):
        plain = isinstance(event, yaml.ScalarEvent) and event.tag is None and event.implicit[0]
        if plain and _becomes_another(event.value):
            yield event.start_mark.line + 1


def _becomes_another(text: str) -> bool:
    try:
        value = resolve_plain(text)
        if type(value) is not int and type(value) is not float:
            return False
        return text not in (text_of(value), plain_scalar(value))
    except (ArcanError, ValueError, OverflowError):
        return False  # it has no text at all, which is said elsewhere
