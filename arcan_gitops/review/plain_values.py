"""Values in clear outside of the realms, told by the names that they are given to.

Nobody can know a value without the key (`arcan gate` compares the tree with the values themselves). A name
says enough: a text that is given to the name of a realm's key, or in a dotenv file to a name such as
`DB_PASSWORD`. What only stands for a value (`${...}`, `changeme`, the name of something else) is none.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Final

# NAME=value, export NAME=value, NAME: value, - NAME=value, "NAME": "value"
_GIVEN: Final = re.compile(
    rb"^[ \t]*(?:export[ \t]+|-[ \t]+)?[\"']?([A-Za-z_][A-Za-z0-9_.-]{2,252})[\"']?[ \t]*[:=][ \t]*"
    rb"([\"']?)([^\s\"'`,;#]{8,4096})\2[ \t]*,?[ \t]*(?:#.*)?\r?$",
    re.MULTILINE,
)
_SECRET_NAME: Final = re.compile(
    r"(?i)(?:.*[_.-])?(?:password|passwd|passphrase|secret|token|key|credentials?|dsn)"
)
_URL: Final = re.compile(r"(?i)[a-z][a-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@([^\s/:?]+)")
_STANDS_FOR_IT: Final = re.compile(
    r"(?i)change.?me|example|placeholder|your[-_]|replace|dummy|redacted|todo|x{5}|\*{3}|\.{3}|[<>$(){}\[\]]|"
    r"ENC\[|^(?:vault|ref\+|arn|file|env):|^[./~]"
)
# another name, words, a host, a number or a version
_NO_SECRET: Final = re.compile(
    r"[A-Z][A-Z0-9_]*|[A-Za-z]+(?:[-_./:][A-Za-z]+)*|(?i:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?/?)|v?[\d.,:TZ+_-]+"
)
_ANYBODYS: Final = frozenset({"password", "postgres", "mysql", "root", "admin", "guest", "secret", "test"})
_HERE: Final = frozenset({"localhost", "127.0.0.1"})
_DOTENV: Final = re.compile(r"(?i)(?:.*\.)?env(?:\..+)?")
_SAMPLE: Final = re.compile(r"(?i)example|sample|template|dist$|schema")
_LEAST_ENTROPY: Final = 2.8  # bits a character
_LONG: Final = 20  # characters, of what is random whatever its name


def given(data: bytes, path: str, is_key: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """The names that a file gives values to, and the values, which nobody is to see.

    `is_key` says of a name whether a realm has such a key, and is asked only of what is given a value.
    """
    file = PurePosixPath(path).name
    if _SAMPLE.search(file):
        return
    any_name = _DOTENV.fullmatch(file) is not None
    for match in _GIVEN.finditer(data):
        name, value = match[1].decode("ascii"), match[3].decode("utf-8", "replace")
        is_secret_name = _SECRET_NAME.fullmatch(name) is not None
        if not _is_value(value, is_secret_name=is_secret_name):
            continue
        if (any_name and is_secret_name) or is_key(name):
            yield name, match[3]


def _is_value(text: str, *, is_secret_name: bool) -> bool:
    if _STANDS_FOR_IT.search(text):
        return False
    if "://" in text:
        url = _URL.match(text)
        return url is not None and url[1].lower() not in _ANYBODYS and url[2].lower() not in _HERE
    if _NO_SECRET.fullmatch(text) or _entropy(text) < _LEAST_ENTROPY:
        return False
    return is_secret_name or len(text) >= _LONG


def _entropy(text: str) -> float:
    """Shannon's, in bits for each character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
