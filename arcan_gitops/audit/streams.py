"""Lines of files as they are kept: rotated, compressed, or from standard input; a line at a time."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shlex
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from arcan_gitops.errors import ArcanError, printable

STDIN: Final = "-"
_MOST_BYTES: Final = 1 << 20  # of a line; audit lines have 4096, and what wraps them is short
_MAGIC_BYTES: Final = 6
_OPENERS: Final[Mapping[bytes, Callable[..., Any]]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


class CannotReadLog(ArcanError):
    """A file that is not there, is cut short, or is compressed in a way that is not known."""


class Place(NamedTuple):
    """A line of a file, which prints as `FILE:LINE`."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{printable(self.file)}:{self.number}"


def lines(file: str) -> Iterator[tuple[Place, bytes]]:
    """Each line without its end, and where it is. Raises `CannotReadLog`."""
    try:
        with _opened(file) as stream:
            number = 0
            while line := stream.readline(_MOST_BYTES):
                number += 1
                while not line.endswith(b"\n") and len(line) == _MOST_BYTES:
                    if not (rest := stream.readline(_MOST_BYTES)) or rest.endswith(b"\n"):
                        break  # longer than any line of ours: its start is enough
                yield Place(file, number), line.removesuffix(b"\n")
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile):
        raise CannotReadLog(
            f"{file}: is cut short, or damaged: it cannot be decompressed to its end",
            hint=f"see what is left of it: zcat -f {shlex.quote(file)} | arcan audit verify -",
        ) from None
    except OSError as error:
        raise CannotReadLog(f"{file}: cannot be read: {error.strerror or 'damaged'}") from None


def _opened(file: str) -> IO[bytes]:
    if file == STDIN:
        return sys.stdin.buffer
    with Path(file).open("rb") as raw:
        magic = raw.read(_MAGIC_BYTES)
    if magic.startswith(_ZSTD):
        raise CannotReadLog(
            f"{file}: is compressed with zstd, which Python reads from 3.14 on",
            hint=f"zstd -dc {shlex.quote(file)} | arcan audit verify -",
        )
    for start, opener in _OPENERS.items():
        if magic.startswith(start):
            stream: IO[bytes] = opener(file, "rb")
            return stream
    return Path(file).open("rb")
