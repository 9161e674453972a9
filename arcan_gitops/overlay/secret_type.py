"""The type of a Kubernetes Secret and its template: which keys it must have, and how they are made.

Source: k8s.io/kubernetes pkg/apis/core/validation (ValidateSecret); ESO externalsecret_types.go and
pkg/controllers/externalsecret/externalsecret_controller_template.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from arcan_gitops.names import KeyName, did_you_mean
from arcan_gitops.overlay.labels import read_annotations, read_labels
from arcan_gitops.overlay.references import mapping
from arcan_gitops.yamlio import Fields, each, one_of

DOCKER: Final = "kubernetes.io/dockerconfigjson"
_BASIC_AUTH: Final = "kubernetes.io/basic-auth"
# type -> the keys that the API server demands (of basic-auth one is enough)
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "Opaque": (),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    DOCKER: (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    _BASIC_AUTH: ("username", "password"),
}
TEMPLATE_FIELDS: Final = ("data", "mergePolicy", "labels", "annotations")
MERGE_POLICIES: Final = ("Replace", "Merge")
_REGISTRY: Final = re.compile(r"(?:https?://)?[A-Za-z0-9][A-Za-z0-9.:/_-]{0,252}", re.ASCII)
_LOGIN: Final = ("username", "password")


@dataclass(frozen=True, slots=True)
class SecretType:
    """`type` of the Secret, and the template that makes a Docker login of a user name and a password."""

    name: str
    registry: str | None = None

    @property
    def data(self) -> dict[str, str]:
        """The templates that the type itself brings."""
        if self.registry is None:
            return {}
        # `auth` alone is what the kubelet reads; base64 needs no escaping inside JSON
        login = '{{ printf "%s:%s" .username .password | b64enc }}'
        return {".dockerconfigjson": f'{{"auths":{{"{self.registry}":{{"auth":"{login}"}}}}}}'}

    @classmethod
    def parse(cls, fields: Fields, keys: Sequence[KeyName] | None) -> SecretType | None:
        """The fields `type` and `registry`; None where there is no type.

        `keys` are those of the Secret, None where only the store knows them. Raises `InvalidFile` where the
        API server would refuse the Secret.
        """
        name, registry = fields.optional_text("type"), fields.optional_text("registry")
        if registry is not None and name != DOCKER:
            fields.fail(f"'registry' goes with type {DOCKER}", field="registry", hint=f"write type: {DOCKER}")
        if name is None:
            return None
        one_of(fields, "type", name, tuple(REQUIRED))
        if registry is not None and _REGISTRY.fullmatch(registry) is None:
            fields.fail("'registry' is not the address of a registry", field="registry", hint="as in ghcr.io")
        template = fields.optional_mapping("template")
        made = template.optional_mapping("data") if template is not None else None
        if keys is not None:
            _require(fields, name, registry, keys, () if made is None else made.names())
        return cls(name, registry)


def _require(
    fields: Fields, name: str, registry: str | None, keys: Sequence[str], made: Sequence[str]
) -> None:
    wanted = _LOGIN if registry is not None else REQUIRED[name]
    present = {*keys, *made}
    missing = [key for key in wanted if key not in present]
    if name == _BASIC_AUTH and len(missing) < len(wanted):
        return
    for key in missing:
        hint = f"{{key: ..., as: {key}}}; {did_you_mean(key, keys)}"
        fields.fail(f"a Secret of type {name} needs the key '{key}'", field="type", hint=hint)


@dataclass(frozen=True, slots=True)
class Template:
    """What ESO makes the Secret's keys, labels and annotations of; each text is a template (engine v2).

    With `merge` the Secret keeps the keys that the store gave beside those of `data`.
    """

    data: Mapping[str, str] = field(default_factory=dict)
    merge: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    # ("data", key), ("labels", name) -> `file:line`, for errors
    places: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def parse(cls, parent: Fields) -> Template:
        """The field `template`. Raises `InvalidFile`."""
        if "template" not in parent:
            return cls()
        fields = mapping(parent, "template", "{data: {KEY: TEXT}}")
        fields.only(*TEMPLATE_FIELDS)
        data: dict[str, str] = {}
        if "data" in fields:
            texts = mapping(fields, "data", "{KEY: TEXT}")
            names = each(lambda name: str(texts.parse(name, KeyName, name)), texts.names())
            data = dict(zip(names, each(texts.text, names), strict=True))
        policy = one_of(fields, "mergePolicy", fields.text("mergePolicy", "Replace"), MERGE_POLICIES)
        return cls(
            data,
            policy == "Merge",
            read_labels(fields, "labels"),
            read_annotations(fields, "annotations"),
            dict(_places(fields)),
        )

    def spec(
        self,
        kind: SecretType | None,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        *,
        always: bool = False,
    ) -> Any:
        """`target.template`, or None where none is needed and it is not to be written `always`.

        With a template ESO copies no labels and annotations of the ExternalSecret, so they are written again.
        """
        if not (always or kind is not None or self.data or self.labels or self.annotations):
            return None
        data = {**(kind.data if kind is not None else {}), **self.data}
        named = {"labels": {**labels, **self.labels}, "annotations": {**annotations, **self.annotations}}
        return {
            **({"type": kind.name} if kind is not None else {}),
            "engineVersion": "v2",
            "mergePolicy": "Merge" if self.merge else "Replace",
            "metadata": {name: texts for name, texts in named.items() if texts},
            **({"data": data} if data else {}),
        }


def _places(fields: Fields) -> Iterator[tuple[tuple[str, str], str]]:
    for part in ("data", "labels", "annotations"):
        if (texts := fields.optional_mapping(part)) is not None:
            for name in texts.names():
                yield (part, name), f"{texts.source}:{texts.line_of(name)}"
