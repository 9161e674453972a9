"""What is wrong with a file before any rule of its format counts: one sentence for each, for every reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_BYTE_ORDER_MARKS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_UTF_16: Final = re.compile(rb"\0[ -~\n]|[ -~\n]\0")  # of a text that begins in ASCII, without a mark
# What `git merge` and `git rebase` leave at the beginning of lines; the third is of the style diff3.
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_CONFLICT: Final = re.compile(rb"^(?:<{7} |={7}\r?$|>{7} |\|{7} )", re.MULTILINE)
_DIRECTIVE: Final = re.compile(
    rb"(?:\A(?:\xef\xbb\xbf)?|^---[ \t\r]*\n)(?:[ \t\r]*(?:#[^\n]*)?\n)*(%)", re.MULTILINE
)
_RESOLVE: Final = "finish the merge: 'git status' says how; of an encrypted document keep one side whole"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in which line (counted from 1), and what to do. Nothing of the file is quoted."""

    line: int
    problem: str
    hint: str | None = None


def encoding_fault(data: bytes) -> Fault | None:
    """The first byte that is not UTF-8, or None."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return Fault(1, f"not UTF-8 but {encoding}", "save the file as UTF-8")
    if _UTF_16.match(data) is not None:
        return Fault(1, "not UTF-8 but UTF-16", "save the file as UTF-8")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Fault(data.count(b"\n", 0, error.start) + 1, "not UTF-8", "save the file as UTF-8")
    return None


def conflict(data: bytes) -> Fault | None:
    """The first conflict marker at the beginning of a line, where no YAML or JSON can have one, or None."""
    marker = _CONFLICT.search(data)
    if marker is None:
        return None
    line = data.count(b"\n", 0, marker.start()) + 1
    return Fault(line, "a conflict marker of Git: a merge is not finished", _RESOLVE)


def directive(data: bytes) -> Fault | None:
    """The first `%YAML` or `%TAG` line of a file of manifests, or None.

    kubectl and Kustomize take a file apart at its lines `---`, so that a directive is a document without an
    end to them (k8s.io/apimachinery pkg/util/yaml, kyaml kio/byteio_reader.go).
    """
    if (found := _DIRECTIVE.search(data)) is None:
        return None
    line = data.count(b"\n", 0, found.start(1)) + 1
    return Fault(line, "a YAML directive, which kubectl and Kustomize do not read", "remove the line")


def unreadable(data: bytes) -> Fault | None:
    """Why a reader of texts fails on a file, where its format is not the cause: another encoding, the
    conflict markers of an unfinished merge, a control character. None for all else.
    """
    if (fault := encoding_fault(data)) is not None:
        return fault
    if (fault := conflict(data)) is not None:
        return fault
    text = data.decode("utf-8")
    if (found := _UNPRINTABLE.search(text)) is not None:
        line = text.count("\n", 0, found.start()) + 1
        return Fault(line, f"a control character (U+{ord(found[0]):04X})", "remove it")
    return None


def empty_document(documents: Sequence[tuple[int, bool]]) -> Fault | None:
    """The first YAML document of a file that holds nothing, or the whole file that does; or None.

    Of each document: the line where it begins (that of its `---`, if it has one), and whether it is empty.
    """
    if not documents or (len(documents) == 1 and documents[0][1]):
        return Fault(documents[0][0] if documents else 1, "is empty")
    for at, (line, empty) in enumerate(documents):
        if empty:
            last = at + 1 == len(documents)
            where = "nothing follows" if last else "nothing stands between this and the next"
            return Fault(line, f"an empty YAML document: {where} '---'", "remove the line '---'")
    return None


def not_one(documents: Sequence[tuple[int, bool]]) -> Fault | None:
    """What is wrong with the YAML documents of a file where one is wanted, or None; as `empty_document`."""
    if (fault := empty_document(documents)) is not None:
        return fault
    if len(documents) > 1:
        return Fault(documents[1][0], "has more than one YAML document", "a file holds one: split it")
    return None
