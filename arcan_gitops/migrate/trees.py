"""The values of a decrypted tree: those of Kubernetes Secrets where it is a manifest, else all that it holds.

Source: k8s.io/api/core/v1 Secret; isindir/sops-secrets-operator api/v1alpha1 to v1alpha3 (SopsSecret).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from arcan_gitops.migrate.source import Found, Left, Origin
from arcan_gitops.migrate.texts import of_bytes, of_value
from arcan_gitops.realms.importing.kubernetes import decoded, is_secret
from arcan_gitops.sops.cipher import PREFIX

_LISTS: Final = ("List", "SecretList")
_SOPS_SECRET: Final = "isindir.github.com/"
_ENCODED_SINCE: Final = "v1alpha3"  # before it, `data` of a SopsSecret was text
_TEMPLATES: Final = ("secretTemplates", "secret_templates")
_IN_CLEAR: Final = "was in clear in the file"

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """What one file holds: a Secret, another object, or a mapping of names to values; `label` tells it from
    the others of the file. `sealed` is as `tree`, but still encrypted.
    """

    label: str
    tree: Tree = field(repr=False)
    sealed: Tree = field(repr=False)
    namespace: str = ""
    secret: bool = False
    encoded: bool = True  # the field `data` is base64
    other: str = ""  # the kind of an object that is not a Secret

    def values(self, path: str, whole: frozenset[str]) -> Iterator[Found | Left]:
        """The values, whose origins have that path. `whole` are maps that stay in one piece, as JSON."""
        if self.other:
            yield Left(Origin(path), f"is a {self.other}, and no Secret")
        elif self.secret:
            yield from self._of_secret(path)
        else:
            yield from _below(path, (), self.tree, self.sealed, whole)

    def _of_secret(self, path: str) -> Iterator[Found | Left]:
        data, texts = _map(self.tree, "data"), _map(self.tree, "stringData")
        if not data and not texts:
            yield Left(Origin(path), "has no data")
        for key in dict.fromkeys((*data, *texts)):  # stringData wins, as in Kubernetes
            origin = Origin(path, key)
            held = "stringData" if key in texts else "data"
            if key in texts or not self.encoded:
                item = of_value(origin, (texts if key in texts else data)[key])
            else:
                item = _of_base64(origin, data[key])
            yield _named(item, (key,), _map(self.sealed, held).get(key))


def parts_of(tree: Tree, sealed: Tree) -> Iterator[Part]:
    """The parts of one document of a file."""
    kind, version, items = tree.get("kind"), tree.get("apiVersion"), tree.get("items")
    if not isinstance(kind, str) or not isinstance(version, str):
        yield Part("", tree, sealed)
    elif kind in _LISTS and isinstance(items, list):
        for item, other in zip(items, _list(sealed.get("items"), len(items)), strict=True):
            if isinstance(item, dict):
                yield from parts_of(item, other)
    elif is_secret(dict(tree)):
        yield Part(_text(tree, "name"), tree, sealed, _text(tree, "namespace"), secret=True)
    elif kind == "SopsSecret" and version.startswith(_SOPS_SECRET):
        yield from _templates(tree, sealed, version)
    else:
        yield Part(_text(tree, "name"), tree, sealed, _text(tree, "namespace"), other=kind)


def _templates(tree: Tree, sealed: Tree, version: str) -> Iterator[Part]:
    spec, hidden = _map(tree, "spec"), _map(sealed, "spec")
    name = next((name for name in _TEMPLATES if isinstance(spec.get(name), list)), None)
    templates = [] if name is None else spec[name]
    for template, other in zip(templates, _list(hidden.get(name or ""), len(templates)), strict=True):
        if isinstance(template, dict):
            yield Part(
                str(template.get("name") or ""),
                template,
                other,
                _text(tree, "namespace"),
                secret=True,
                encoded=version.removeprefix(_SOPS_SECRET) >= _ENCODED_SINCE,
            )


def titles(file: str, parts: Sequence[Part]) -> list[str]:
    """A path for each part, unlike the others': the file, and behind it what tells them apart."""
    if len(parts) == 1:
        return [file]
    labels = [part.label for part in parts]
    if len(set(labels)) < len(labels):
        labels = [f"{part.namespace}/{part.label}" if part.namespace else part.label for part in parts]
    counted = [
        label if label and labels.count(label) == 1 else f"{label}[{at}]" for at, label in enumerate(labels)
    ]
    return [f"{file}:{label}" for label in counted]


def _below(
    path: str, parents: tuple[str, ...], tree: Tree, sealed: Tree, whole: frozenset[str]
) -> Iterator[Found | Left]:
    """Maps are gone into: the key is `db.host`, and the origin `db/host`, as in a JSON pointer."""
    for key, value in tree.items():
        name = (*parents, str(key))
        field = "/".join(part.replace("~", "~0").replace("/", "~1") for part in name)
        if isinstance(value, dict) and value and field not in whole:
            yield from _below(path, name, value, _map(sealed, key), whole)
        elif value == {} and isinstance(value, dict):
            yield Left(Origin(path, field), "is an empty map")
        else:
            yield _named(of_value(Origin(path, field), value), name, sealed.get(key))


def _named(item: Found | Left, name: tuple[str, ...], sealed: Any) -> Found | Left:
    if isinstance(item, Left):
        return item
    clear = not isinstance(sealed, dict | list) and not str(sealed).startswith(PREFIX)
    note = "; ".join(filter(None, (item.note, _IN_CLEAR if clear else "")))
    return replace(item, name=name, note=note)


def _of_base64(origin: Origin, value: Any) -> Found | Left:
    if value is None:
        return of_value(origin, value)
    if not isinstance(value, str):
        return Left(origin, "is not a text, as base64 is", wrong=True)
    try:
        return of_bytes(origin, decoded(value))
    except ValueError:
        return Left(origin, "is not base64", wrong=True)


def _map(tree: Tree, name: str) -> Tree:
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def _list(found: Any, length: int) -> Sequence[Tree]:
    """As many maps; encrypted comments in a list are not items."""
    maps = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return maps if len(maps) == length else [{}] * length


def _text(tree: Tree, name: str) -> str:
    return str(_map(tree, "metadata").get(name) or "")
