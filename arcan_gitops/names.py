"""The names of realms, environments, keys and Kubernetes objects: parsed once, at the edge, then trusted.

Grammar: realm and environment are RFC 1123 labels; a key is what Kubernetes allows as a key of a Secret
(`[-._a-zA-Z0-9]{1,253}`, not `.`, not starting with `..`: k8s.io/apimachinery IsConfigMapKey).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from arcan_gitops.errors import ArcanError

# The leaf of a document that says which place it belongs to. No key has this name.
PLACE_KEY: Final = "arcan_place"


class InvalidName(ArcanError):
    """A text that is not a valid name, version or duration."""


class _Name(str):
    """A string that has passed its grammar."""

    __slots__ = ()
    article: ClassVar[str] = "a"
    noun: ClassVar[str]
    rule: ClassVar[str]
    grammar: ClassVar[re.Pattern[str]]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The name, or `InvalidName` with the rule that the text breaks."""
        if cls.grammar.fullmatch(text) is None:
            shown = repr(text if len(text) <= 80 else text[:77] + "...")
            raise InvalidName(
                f"{shown} is not a valid {cls.noun}", hint=f"{cls.article} {cls.noun} is {cls.rule}"
            )
        return cls(text)


_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_LABEL_RULE = "an RFC 1123 label: 1 to 63 of a-z, 0-9 and '-', starting and ending with a letter or digit"


class RealmName(_Name):
    """The name of a realm: `production`."""

    __slots__ = ()
    noun = "realm name"
    rule = _LABEL_RULE
    grammar = _LABEL


class EnvironmentName(_Name):
    """The name of an environment inside a realm: `prod`."""

    __slots__ = ()
    article = "an"
    noun = "environment name"
    rule = _LABEL_RULE
    grammar = _LABEL


class KeyName(_Name):
    """The name of one secret inside an environment: `DATABASE_URL`."""

    __slots__ = ()
    noun = "key name"
    rule = (
        "1 to 253 of A-Z, a-z, 0-9, '.', '_' and '-', not '.', not starting with '..' "
        f"and not '{PLACE_KEY}', which says where a document belongs"
    )
    grammar = re.compile(rf"(?!\.\.)(?!\.\Z)(?!{PLACE_KEY}\Z)[A-Za-z0-9._-]{{1,253}}", re.ASCII)


class Namespace(_Name):
    """The name of a Kubernetes namespace: `shop`."""

    __slots__ = ()
    noun = "namespace"
    rule = _LABEL_RULE
    grammar = _LABEL


class ObjectName(_Name):
    """The name of a Kubernetes object, such as a Secret: `arcan-credentials`."""

    __slots__ = ()
    noun = "Kubernetes object name"
    rule = "an RFC 1123 subdomain: 1 to 253 characters, labels of a-z, 0-9 and '-' joined by '.'"
    grammar = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class TokenName(_Name):
    """The name of a token in a realm's `tokens.yaml`: `eso-operator`."""

    __slots__ = ()
    noun = "token name"
    rule = "1 to 63 of A-Z, a-z, 0-9, '.', '_', '-', first a letter or digit"
    grammar = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)


class OverlayName(_Name):
    """The name of an overlay, which is the name of its folder: `prod`."""

    __slots__ = ()
    article = "an"
    noun = "overlay name"
    rule = _LABEL_RULE
    grammar = _LABEL


class KubeCluster(_Name):
    """The project's name for a Kubernetes cluster, which is the stem of its file in clusters/: `eu`.

    Not Argo CD's: each Argo CD calls the cluster that it runs in `in-cluster`, so that it names several.
    """

    __slots__ = ()
    noun = "cluster name"
    rule = f"{_LABEL_RULE}, and not 'in-cluster', which is another cluster for each Argo CD"
    grammar = re.compile(rf"(?!in-cluster\Z){_LABEL.pattern}", re.ASCII)


class AppName(_Name):
    """The name of an app, which is the stem of its file: `shop`."""

    __slots__ = ()
    article = "an"
    noun = "app name"
    rule = _LABEL_RULE
    grammar = _LABEL


@dataclass(frozen=True, slots=True, order=True)
class AccountName:
    """A service account of a cluster: `eu/shop/arcan`."""

    cluster: KubeCluster
    namespace: Namespace
    service_account: ObjectName

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.service_account}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """`CLUSTER/NAMESPACE/ACCOUNT`, or with dots in place of slashes, as a file can be named: neither a
        cluster nor a namespace has one. Raises `InvalidName`.
        """
        parts = text.split("/") if "/" in text else text.split(".", 2)
        if len(parts) != 3:
            raise InvalidName(
                f"{text[:80]!r} is not the name of an account", hint="write it as CLUSTER/NAMESPACE/ACCOUNT"
            )
        return cls(KubeCluster.parse(parts[0]), Namespace.parse(parts[1]), ObjectName.parse(parts[2]))


@dataclass(frozen=True, slots=True)
class SecretRef:
    """What a request or a declaration asks for; `key` is None for all keys of the environment."""

    realm: RealmName
    environment: EnvironmentName
    key: KeyName | None = None

    def __str__(self) -> str:
        return "/".join(part for part in (self.realm, self.environment, self.key) if part is not None)


def place_name(realm: RealmName, environment: EnvironmentName) -> str:
    """`REALM/ENVIRONMENT`: what a document's `arcan_place` says."""
    return f"{realm}/{environment}"


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, or None if none is near."""
    names = sorted(known)
    same = [name for name in names if name.casefold() == wrong.casefold()]
    matches = same or difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or the known names, as a hint."""
    names = sorted(known)
    near = nearest(wrong, names)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"known: {', '.join(names)}" if names else "there are none"
