"""The section `argocd` of `arcan.yaml`: where Argo CD finds this repository, and what it deploys where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from arcan_gitops.eso_version import Release
from arcan_gitops.names import InvalidName, Namespace, ObjectName
from arcan_gitops.yamlio import Fields, one_of

PLATFORM_FOLDER: Final = "_platform"  # beside folders of namespaces, none of which can be called like this


class Reach(StrEnum):
    """Which namespaces of a cluster the Applications of apps may reach."""

    ANY = "any"  # all but those of the cluster itself, of Argo CD and of ESO
    LISTED = "listed"  # those of the declared apps


class ClusterName(ObjectName):
    """The name by which Argo CD knows a cluster: `in-cluster` is the one that it runs in."""

    __slots__ = ()
    noun = "cluster name"
    rule = "the name that `argocd cluster list` shows: an RFC 1123 subdomain"


IN_CLUSTER: Final = ClusterName("in-cluster")


class Repository(str):
    """The URL of a Git repository, as Argo CD clones it; never one with a password in it."""

    __slots__ = ()
    _grammar: ClassVar = re.compile(
        r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[\w.~/+-]+|ssh://(?:[\w.-]+@)?[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[\w.~/+-]+"
        r"|[\w.-]+@[A-Za-z0-9.-]+:[\w.~/+-]+",
        re.ASCII,
    )

    @classmethod
    def parse(cls, text: str) -> Repository:
        """`https://host/path`, `ssh://git@host/path` or `git@host:path`. Raises `InvalidName`."""
        if cls._grammar.fullmatch(text) is None:
            raise InvalidName(
                "not the URL of a Git repository",
                hint="write https://host/path, ssh://git@host/path or git@host:path, without a password: "
                "credentials are Argo CD's own ('argocd repo add')",
            )
        return cls(text)


class RepositoryPath(str):
    """A folder in the repository, relative to its root, such as `kustomize`."""

    __slots__ = ()
    _grammar: ClassVar = re.compile(r"(?!\.{1,2}(?:/|\Z))[\w.-]+(?:/(?!\.{1,2}(?:/|\Z))[\w.-]+)*", re.ASCII)

    @classmethod
    def parse(cls, text: str) -> RepositoryPath:
        """Raises `InvalidName`."""
        if cls._grammar.fullmatch(text) is None:
            raise InvalidName(
                f"{text[:80]!r} is not a folder of the repository", hint="write it from the root: kustomize"
            )
        return cls(text)


class Revision(str):
    """A branch, tag or commit of the repository."""

    __slots__ = ()
    _grammar: ClassVar = re.compile(r"[A-Za-z0-9][\w./-]{0,254}", re.ASCII)

    @classmethod
    def parse(cls, text: str) -> Revision:
        """Raises `InvalidName`."""
        if cls._grammar.fullmatch(text) is None or ".." in text:
            raise InvalidName(f"{text[:80]!r} is not a branch, tag or commit", hint="as in main or v1.2.3")
        return cls(text)


class ArgoCdVersion(Release):
    """A release of Argo CD, as `argocd version` shows it: `3.6.3`."""

    __slots__ = ()
    program = "Argo CD"
    example = "'argocd version' shows it: '3.6.3'"


@dataclass(frozen=True, slots=True)
class EsoChart:
    """How ESO's Helm chart is installed: `replicas` of the controller, and whether Prometheus scrapes ESO."""

    replicas: int = 1
    service_monitor: bool = False

    @classmethod
    def parse(cls, fields: Fields) -> EsoChart:
        """Raises `InvalidFile`."""
        fields.only("replicas", "serviceMonitor")
        replicas = fields.integer("replicas", 1)
        if not 1 <= replicas <= 10:
            fields.fail("'replicas' must be 1 to 10", field="replicas", hint="one works, the others stand by")
        return cls(replicas, fields.flag("serviceMonitor"))


@dataclass(frozen=True, slots=True)
class ArgoCd:
    """How Argo CD deploys the overlays.

    `path` is where the folder of `arcan.yaml` is in the repository; `namespace` is Argo CD's own; `project`
    is the AppProject of the apps, and the first part of the names of Applications; `version` is what runs
    there, and is judged by what is published.
    """

    repository: Repository
    path: RepositoryPath
    revision: Revision
    namespace: Namespace
    project: ObjectName
    reach: Reach
    eso: EsoChart
    version: ArgoCdVersion | None = None

    @classmethod
    def parse(cls, fields: Fields) -> ArgoCd:
        """Raises `InvalidFile`, with the line, for anything that is not a setting."""
        version = fields.optional_text("version")
        argocd = cls(
            repository=fields.parse("repository", Repository, fields.text("repository")),
            path=fields.parse("path", RepositoryPath, fields.text("path", "kustomize")),
            revision=fields.parse("revision", Revision, fields.text("revision", "main")),
            namespace=fields.parse("namespace", Namespace, fields.text("namespace", "argocd")),
            project=fields.parse("project", ObjectName, fields.text("project", "arcan")),
            reach=Reach(
                one_of(fields, "namespaces", fields.text("namespaces", Reach.ANY), tuple(map(str, Reach)))
            ),
            eso=EsoChart() if (eso := fields.optional_mapping("eso")) is None else EsoChart.parse(eso),
            version=None if version is None else fields.parse("version", ArgoCdVersion, version),
        )
        fields.done()
        return argocd
