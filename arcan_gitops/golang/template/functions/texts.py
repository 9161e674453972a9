"""Sprig's functions of texts, regular expressions among them (strings.go, regex.go).

A Go string is bytes: lengths and positions count those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from arcan_gitops.golang import regexp
from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template.printing import plain
from arcan_gitops.golang.template.signature import Function, function
from arcan_gitops.golang.template.values import STRING, List, Map, Value
from arcan_gitops.golang.text import go_quote, is_space, to_lower, to_title, to_upper, trim_space

_LARGEST: Final = 1 << 20  # a Kubernetes Secret holds no more


def to_string(value: Value) -> str:
    """`strval`."""
    return plain(value)


def to_strings(value: Value) -> List:
    """`strslice`: a slice of texts, or one of the one value."""
    if isinstance(value, List):
        return List((to_string(item) for item in value if item is not None), STRING)
    return List([] if value is None else [to_string(value)], STRING)


def _quote(*values: Value) -> str:
    return " ".join(go_quote(to_string(value)) for value in values if value is not None)


def _squote(*values: Value) -> str:
    return " ".join(f"'{plain(value)}'" for value in values if value is not None)


def _cat(*values: Value) -> str:
    return " ".join(plain(value) for value in values if value is not None)


def _repeat(count: int, text: str) -> str:
    if count < 0:
        raise GoError("strings: negative Repeat count")
    if count * len(text) > _LARGEST:
        raise NotSupported("a text as long as that")
    return text * count


def _indent(spaces: int, text: str) -> str:
    pad = _repeat(spaces, " ")
    if (text.count("\n") + 1) * spaces > _LARGEST:
        raise NotSupported("a text as long as that")
    return pad + text.replace("\n", "\n" + pad)


def _cut(text: str, start: int, end: int | None = None) -> str:
    data = text.encode("utf-8", "surrogateescape")
    stop = len(data) if end is None else end
    if not 0 <= stop <= len(data):
        raise GoError(f"runtime error: slice bounds out of range [:{stop}] with length {len(data)}")
    if start > stop:
        shown = f"[{start}:]" if end is None else f"[{start}:{stop}]"
        length = f" with length {len(data)}" if end is None else ""
        raise GoError(f"runtime error: slice bounds out of range {shown}{length}")
    return data[start:stop].decode("utf-8", "surrogateescape")


def _trunc(count: int, text: str) -> str:
    size = len(text.encode("utf-8", "surrogateescape"))
    if count < 0 and size + count > 0:
        return _cut(text, size + count)
    return _cut(text, 0, count) if 0 <= count < size else text


def _substr(start: int, end: int, text: str) -> str:
    if start < 0:
        if end < 0:
            raise GoError(f"runtime error: slice bounds out of range [:{end}]")
        return _cut(text, 0, end)
    if end < 0 or end > len(text.encode("utf-8", "surrogateescape")):
        return _cut(text, start)
    return _cut(text, start, end)


def _split_list(separator: str, text: str, most: int = -1) -> list[str]:
    if not separator:
        raise NotSupported("a split between all characters")
    if most == 0:
        return []
    return text.split(separator, -1 if most < 0 else most - 1)


def _numbered(parts: list[str]) -> Map:
    return Map({f"_{index}": part for index, part in enumerate(parts)}, STRING)


def _pattern(source: str, *, must: bool) -> Any:
    try:
        return regexp.compile_pattern(source)
    except GoError as error:
        if must:
            raise
        shown = f"`{source}`" if "`" not in source and source.isprintable() else go_quote(source)
        raise GoError(f"regexp: Compile({shown}): {error}") from None


def _regex_match(source: str, text: str) -> bool:
    try:
        return regexp.compile_pattern(source).search(_utf8(text)) is not None
    except GoError:
        return False  # sprig drops the error


def _regex(must: bool) -> Mapping[str, Function]:
    def match(source: str, text: str) -> bool:
        return _pattern(source, must=True).search(_utf8(text)) is not None

    def find(source: str, text: str) -> str:
        found = _pattern(source, must=must).search(_utf8(text))
        return "" if found is None else found[0]

    def find_all(source: str, text: str, most: int) -> List:
        found = regexp.find_all(_pattern(source, must=must), _utf8(text), most)
        return List(found, STRING, is_nil=not found)

    def replace_all(source: str, text: str, target: str) -> str:
        return regexp.replace_all(_pattern(source, must=must), target, _utf8(text))

    def replace_literal(source: str, text: str, target: str) -> str:
        return regexp.replace_all(_pattern(source, must=must), target.replace("$", "$$"), _utf8(text))

    functions = {
        "Find": function("ss", find),
        "FindAll": function("ssi", find_all),
        "ReplaceAll": function("sss", replace_all),
        "ReplaceAllLiteral": function("sss", replace_literal),
    }
    prefix = "mustRegex" if must else "regex"
    matching = {"Match": function("ss", match if must else _regex_match)}
    return {prefix + name: found for name, found in {**functions, **matching}.items()}


def _utf8(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotSupported("a regular expression on bytes that are no UTF-8") from None
    return text


def _quote_meta(text: str) -> str:
    return "".join(f"\\{c}" if c in r"\.+*?()|[]{}^$" else c for c in text)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "cat": function("", _cat, "a"),
    "contains": function("ss", lambda part, text: part in text),
    "hasPrefix": function("ss", lambda part, text: text.startswith(part)),
    "hasSuffix": function("ss", lambda part, text: text.endswith(part)),
    "hello": function("", lambda: "Hello!"),
    "indent": function("is", _indent),
    "join": function("sa", lambda separator, value: separator.join(to_strings(value))),
    "lower": function("s", to_lower),
    "nindent": function("is", lambda spaces, text: "\n" + _indent(spaces, text)),
    "nospace": function("s", lambda text: "".join(c for c in text if not is_space(c))),
    "plural": function("ssi", lambda one, many, count: one if count == 1 else many),
    "quote": function("", _quote, "a"),
    "regexQuoteMeta": function("s", _quote_meta),
    "repeat": function("is", _repeat),
    "replace": function("sss", lambda old, new, text: text.replace(old, new)),
    "split": function("ss", lambda separator, text: _numbered(_split_list(separator, text))),
    "splitList": function("ss", lambda separator, text: List(_split_list(separator, text), STRING)),
    "splitn": function("sis", lambda sep, most, text: _numbered(_split_list(sep, text, most))),
    "squote": function("", _squote, "a"),
    "substr": function("iis", _substr),
    "title": function("s", to_title),
    "toString": function("a", to_string),
    "toStrings": function("a", to_strings),
    "trim": function("s", trim_space),
    "trimAll": function("ss", lambda cut, text: text.strip(cut) if cut else text),
    "trimPrefix": function("ss", lambda part, text: text.removeprefix(part)),
    "trimSuffix": function("ss", lambda part, text: text.removesuffix(part)),
    "trimall": function("ss", lambda cut, text: text.strip(cut) if cut else text),
    "trunc": function("is", _trunc),
    "upper": function("s", to_upper),
    **_regex(must=False),
    **_regex(must=True),
}
