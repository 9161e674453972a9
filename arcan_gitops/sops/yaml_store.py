"""The YAML of a SOPS document as a tree: by `flat_yaml` in the usual layout, else by `yaml_reader`."""

from __future__ import annotations

from typing import Any, Final

import yaml

from arcan_gitops.sops.errors import Malformed, TooLarge, malformed
from arcan_gitops.sops.flat_yaml import read_flat
from arcan_gitops.sops.limits import Limits
from arcan_gitops.sops.yaml_reader import Reader
from arcan_gitops.yamlio.faults import encoding_fault, unreadable

_MAX_TAG_DIRECTIVES: Final = 100
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def parse(data: bytes, limits: Limits) -> list[dict[str, Any]]:
    """All documents of the file as trees, still encrypted.

    Raises `Malformed`, `DuplicateKey`, `Unsupported` (aliases, tags) and `TooLarge`.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge(f"the document has {len(data)} bytes, more than the {limits.max_bytes} allowed")
    if data.startswith(_UTF_16) and (fault := encoding_fault(data)) is not None:
        raise malformed(fault)
    if data.count(b"%TAG") > _MAX_TAG_DIRECTIVES:  # libyaml compares each with all before it
        raise TooLarge(f"more than {_MAX_TAG_DIRECTIVES} %TAG directives")
    flat = read_flat(data, limits)
    if flat is not None:
        return [flat]
    try:
        return Reader(data, limits).documents()
    except (yaml.YAMLError, UnicodeError) as error:
        if (fault := unreadable(data)) is not None:
            raise malformed(fault) from None
        mark: Any = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or "not readable"
        raise Malformed(f"{place}not YAML: {problem}") from None
