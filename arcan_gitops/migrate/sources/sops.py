"""Files that SOPS has encrypted: Kubernetes Secrets, SopsSecrets, dotenv files, JSON, YAML, whole files.

All of them are decrypted and verified before the first value is given out, in memory alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Final

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.migrate.source import CannotImport, Found, Left, Origin
from arcan_gitops.migrate.texts import of_bytes
from arcan_gitops.migrate.trees import Part, parts_of, titles
from arcan_gitops.realms import Opener
from arcan_gitops.realms.importing.problems import BadImport, file_of, text_of
from arcan_gitops.realms.place import Place
from arcan_gitops.sops import ANY_VALUES, Document, Identities, NotEncrypted
from arcan_gitops.sops.binding import without_place
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS

# the block, which every file that sops has encrypted ends with: `sops:`, `"sops":`, `sops_mac=`, `[sops]`
_SOPS: Final = re.compile(rb"(?<![A-Za-z0-9])sops(?:[\"']?\s*:|_[a-z]+|\])")
_BINARY: Final = re.compile(rb'\s*\{\s*"data"\s*:\s*"ENC\[[^"]*"\s*,\s*"sops"\s*:')
_DOTENV: Final = re.compile(rb"(?m)^sops_[a-z0-9_]+=")
_INI: Final = re.compile(rb"(?m)^\[sops\]\s*$")


class SopsSource:
    """The values of some files; `below` is empty, because file names are not part of the names of keys."""

    below = ""

    def __init__(
        self,
        files: Sequence[tuple[bytes, str]],
        identities: Identities,
        opener: Opener,
        place: Place,
        whole: frozenset[str] = frozenset(),
    ) -> None:
        """Decrypts the files, each its bytes and a name, on their way to `place`. `whole` are maps that stay
        in one piece, as JSON.

        Raises `ArcanError` for a file that cannot be opened or is not what it was, `SeveralErrors` for more.
        """
        self.name = files[0][1] if len(files) == 1 else f"{len(files)} encrypted files"
        self._whole = whole
        self._opened: list[tuple[str, str, bytes, Document]] = []
        problems: list[ArcanError] = []
        for data, name in files:
            format = format_of(data, name)
            try:
                text_of(data, name)
                if not _SOPS.search(data):
                    raise NotEncrypted("is not encrypted by SOPS")
                document = opener(
                    data,
                    format=format,
                    identities=identities,
                    limits=ANY_VALUES,
                )
                self._opened.append((name, format, data, document))
            except BadImport as error:
                problems.append(error)
            except NotEncrypted as error:
                hint = f"if it is in clear: {place.import_clear(file_of(name))}"
                problems.append(NotEncrypted(f"{name}: {error.message}", hint=hint))
            except ArcanError as error:
                problems.append(error.located(name))
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise SeveralErrors(f"{len(problems)} files cannot be read; nothing was written:", problems)

    def read(self) -> Iterator[Found | Left]:
        """As `Source.read`."""
        empty = True
        for name, format, data, document in self._opened:
            for item in self._values(name, format, data, document):
                empty = False
                yield item
        if empty:
            raise CannotImport(f"{self.name}: there is no value in it")

    def _values(self, name: str, format: str, data: bytes, document: Document) -> Iterator[Found | Left]:
        if format == "binary":
            content = str(document.tree["data"]).encode("utf-8", "surrogateescape")
            yield replace(of_bytes(Origin(name), content), name=(PurePath(name).name,))
            return
        sealed = [{}] * len(document.trees) if format == "ini" else format_named(format).parse(
            data, DEFAULT_LIMITS
        )  # fmt: skip
        parts: list[Part] = []
        for tree, hidden in zip(document.trees, sealed, strict=True):
            values = without_place(tree)  # of another repository's realm, or of this one's
            parts += parts_of(values, hidden) if values else ()
        for part, title in zip(parts, titles(name, parts), strict=True):
            yield from part.values(title, self._whole)

    def origin_of(self, key: str, property: str | None) -> Origin:
        """A file has no ExternalSecrets; a key is its name."""
        return Origin(key, property)


def format_of(data: bytes, name: str) -> str:
    """`yaml`, `json`, `dotenv`, `ini` or `binary`: by the content, for people name such files in many ways.

    A file that SOPS keeps as a whole is JSON, which only the name can tell from a JSON object with one key.
    """
    if data.lstrip().startswith(b"{"):
        whole = _BINARY.match(data) is not None and not name.lower().endswith(".json")
        return "binary" if whole else "json"
    if _DOTENV.search(data):
        return "dotenv"
    return "ini" if _INI.search(data) else "yaml"
