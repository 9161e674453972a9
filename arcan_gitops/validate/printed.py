"""What a program printed, without the values that it may have quoted from the files that it read.

Kustomize and kubeconform quote what they cannot read, and that may be a secret. So each word that they print
is looked for in these files: one that stands in a value, or has a value in it, is shown as `***`; names,
fields, kinds and paths are shown.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from arcan_gitops.errors import printable

HIDDEN: Final = "***"
_MOST_CHARACTERS: Final = 400
_SHORTEST_WORD: Final = 3  # shorter ones stand in any text
_SHORTEST_VALUE: Final = 4
_LARGEST_FILE: Final = 4 << 20  # bytes
_EDGES: Final = "'\"`,:;.()<>!?"
_NOTHING: Final = re.compile(r"\[no(?:Grp|Ver|Kind|Ns)\]")  # Kustomize's words for parts of an id
_ESCAPES: Final = re.compile(r"\\[nrt\"\\]")
_NOISE: Final = re.compile(r"# Warning|\[signal ")
_TRACE: Final = "\ngoroutine "  # what follows a panic of Go
_KLOG: Final = re.compile(r"[EFIW]\d{4} [\d:.]+ +\d+ \S+\] ")  # before each line that kubectl logs
# Fields whose texts say what or where something is, unless they stand below data.
_NAMING_FIELDS = """
    apiVersion kind name namespace group version path resources bases components crds configurations files
    envs env patches patchesStrategicMerge generators transformers validators namePrefix nameSuffix
"""
_NAMING: Final = frozenset(_NAMING_FIELDS.split())
_DATA: Final = frozenset(("data", "stringData", "binaryData", "literals"))
_COMMON_WORDS = """
    a an and are as at be but by can cannot command could did does err error expected failed file files find
    for found from get got has have if in invalid is it its json kind line load map mapping merge missing must
    name namespace no not object of on one open or panic patch path resource resources such that the to type
    unable unknown value was with yaml
"""
_COMMON: Final = frozenset(_COMMON_WORDS.split())


@dataclass(slots=True)
class Quotable:
    """What is in files: names, which may be shown, and values, which may not."""

    names: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)

    def add_file(self, path: Path) -> None:
        """All that a file has; one that cannot be read was not read by the program either."""
        try:
            if path.stat().st_size <= _LARGEST_FILE:
                self.add(path.read_bytes())
        except OSError:
            return

    def add(self, data: bytes) -> None:
        """The scalars of YAML; of any other file, and of broken YAML, each line."""
        text = data.decode("utf-8", "replace")
        try:
            found = list(scalars(data))
        except (yaml.YAMLError, UnicodeError):
            found = []
        if not any(named for _, named in found):
            self.values |= {line.strip() for line in text.splitlines()}
        for scalar, named in found:
            (self.names if named else self.values).add(scalar)
            if not named and (decoded := _decoded(scalar)):
                self.values.add(decoded)

    def masked(self, text: str, folder: Path | None = None) -> str:
        """One printable line of what a program printed; paths below `folder` are shown from there."""
        lines = text.partition(_TRACE)[0].splitlines()
        kept = " ".join(_KLOG.sub("", line) for line in lines if not _NOISE.match(line))
        if folder is not None:
            kept = kept.replace(f"{folder.resolve()}/", "").replace(str(folder.resolve()), ".")
        everything = "\n".join(self.values)
        values = [value for value in self.values if len(value) >= _SHORTEST_VALUE]
        words: list[str] = []
        for word in _ESCAPES.sub(" ", kept).split():
            core, behind = word.strip(_EDGES), words[-1:] == [HIDDEN]
            if len(core) < _SHORTEST_WORD:
                is_shown = not behind or core in _COMMON  # a value's end, perhaps
            else:
                is_shown = self._may_be_shown(core, everything, values, folder)
            shown = word if is_shown else HIDDEN
            if shown != HIDDEN or words[-1:] != [HIDDEN]:
                words.append(shown)
        line = printable(" ".join(words))
        return line if len(line) <= _MOST_CHARACTERS else line[: _MOST_CHARACTERS - 1] + "…"

    def _may_be_shown(self, word: str, everything: str, values: list[str], folder: Path | None) -> bool:
        if word in self.names or word.lower() in _COMMON:
            return True
        if re.search(r"[\[\]{}]", _NOTHING.sub("", word)):
            return False  # an object or a list, as Go prints it
        if word in everything:
            return False
        return _is_place(word, folder) or not any(value in word for value in values)


def _is_place(word: str, folder: Path | None) -> bool:
    """Whether a word is a path in a folder that exists."""
    return folder is not None and "/" in word and "=" not in word and (folder / word).parent.is_dir()


def _decoded(scalar: str) -> str:
    """The text in base64; empty where it is none."""
    try:
        return base64.b64decode(scalar, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


@dataclass(slots=True)
class _Open:
    """A mapping or list that has begun; `field` is the key that a value is read for."""

    is_mapping: bool
    field: str | None
    in_data: bool
    at_key: bool


def scalars(data: bytes) -> Iterator[tuple[str, bool]]:
    """(text, whether it names something) of each scalar, read event by event: no depth and no alias harms.

    Raises `yaml.YAMLError`.
    """
    opened: list[_Open] = []
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        top = opened[-1] if opened else _Open(False, None, False, False)
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            in_data = top.in_data or top.field in _DATA
            opened.append(_Open(is_mapping, None if is_mapping else top.field, in_data, is_mapping))
            continue
        if isinstance(event, yaml.ScalarEvent):
            one_word = not re.search(r"\s", event.value)
            if top.at_key:
                yield event.value, one_word
                top.field, top.at_key = event.value, False
                continue
            in_data = top.in_data or top.field in _DATA
            yield event.value, one_word and not in_data and top.field in _NAMING
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            opened.pop()
            top = opened[-1] if opened else top
        elif not isinstance(event, yaml.AliasEvent):
            continue
        top.at_key = top.is_mapping
