"""The deterministic emitter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import yaml
from yaml.representer import SafeRepresenter
from yaml.resolver import Resolver

from arcan_gitops.golang.yaml import Ambiguous, resolve_plain

_PLAIN: Final = re.compile(r"[A-Za-z0-9][\w./:-]*[\w/-]|[A-Za-z0-9]", re.ASCII)


def emit(documents: Iterable[Mapping[str, Any]]) -> str:
    """YAML text of the documents, the same for the same input: block style, keys in the order given.

    A string that a Go or a YAML 1.1 reader would take for something else is quoted. `---` separates.
    """
    events: list[yaml.Event] = [yaml.StreamStartEvent()]
    for document in documents:
        events.append(yaml.DocumentStartEvent(explicit=True))
        _add(events, document)
        events.append(yaml.DocumentEndEvent(explicit=False))
    events.append(yaml.StreamEndEvent())
    # straight to libyaml: PyYAML's way by a graph of nodes takes more than twice as long
    text: str = yaml.emit(events, Dumper=yaml.CSafeDumper, width=1_000_000, allow_unicode=True)
    return text


def flow(value: Any) -> str:
    """A mapping, list or text in one line, as a person writes it: `{namespace: shop, overlays: [prod]}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool | int | float) or value is None:
        return json.dumps(value)
    text = str(value)
    try:
        plain = _PLAIN.fullmatch(text) is not None and isinstance(resolve_plain(text), str)
    except (Ambiguous, OverflowError):
        plain = False
    return text if plain else json.dumps(text)


def _add(events: list[yaml.Event], value: Any) -> None:
    if type(value) is str:
        events.append(_text_event(value))
    elif isinstance(value, Mapping):
        events.append(_MAPPING_START)
        for name, item in value.items():
            events.append(_name_event(name))
            _add(events, item)
        events.append(_MAPPING_END)
    elif isinstance(value, list | tuple):
        events.append(_SEQUENCE_START)
        for item in value:
            _add(events, item)
        events.append(_SEQUENCE_END)
    else:
        node = SafeRepresenter().represent_data(value)
        events.append(yaml.ScalarEvent(None, None, (True, False), node.value))


def _text_event(text: str) -> yaml.ScalarEvent:
    """The text plain if it may stand so, else in quotes; over several lines as a block."""
    try:
        # PyYAML leaves these four out of YAML 1.1's booleans; go-yaml v2, and so kubectl, does not
        plain = type(resolve_plain(text)) is str and text not in ("y", "Y", "n", "N")
    except (Ambiguous, OverflowError):
        plain = False
    tag = _YAML_1_1.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    plain = plain and tag == "tag:yaml.org,2002:str"
    quoted = not plain or "{{" in text  # a template is quoted so that it stands out
    style = "|" if "\n" in text else "'" if quoted else None
    return yaml.ScalarEvent(None, None, (plain, True), text, style=style)


_MAPPING_START: Final = yaml.MappingStartEvent(None, None, True, flow_style=False)
_MAPPING_END: Final = yaml.MappingEndEvent()
_SEQUENCE_START: Final = yaml.SequenceStartEvent(None, None, True, flow_style=False)
_SEQUENCE_END: Final = yaml.SequenceEndEvent()
_YAML_1_1: Final = Resolver()
# names alone are kept: a value may be secret
_name_event: Final = lru_cache(maxsize=1024)(_text_event)
