"""`server.deploy` of kustomize/arcan.yaml: which overlays have a server of their own, and which it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from arcan_gitops.deploy.image import Image
from arcan_gitops.deploy.packaged import component_names
from arcan_gitops.deploy.policies import NO_EXCEPTIONS, POLICIES, StorePolicy
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.yamlio import Fields, InvalidFile, one_of, read_mapping

_FIELDS: Final = (
    "enabled",
    "image",
    "select",
    "components",
    "replicas",
    "policies",
    "binding",
    "start",
    "deletions",
)
BINDINGS: Final = ("optional", "required")
STARTS: Final = ("whole", "sound")
DELETIONS: Final = ("optional", "recorded")
_CERTIFICATES: Final = ("cert-manager", "own-ca")  # each says where Secret arcan-tls comes from


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many pods the HorizontalPodAutoscaler keeps."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class _Deploy:
    enabled: bool = False
    image: Image | None = None
    select: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    replicas: Replicas | None = None
    policies: StorePolicy = NO_EXCEPTIONS
    binding: str = BINDINGS[0]
    start: str = STARTS[0]
    deletions: str = DELETIONS[0]
    policies_at: str = ""  # `file:line`


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One server: it runs in the cluster of an overlay, in namespace `arcan`."""

    overlay: Overlay
    image: Image
    select: tuple[str, ...]  # as `arcan serve --select` takes them
    components: tuple[str, ...]  # in the order of `component_names`
    replicas: Replicas | None  # None: as in the base
    policies: StorePolicy
    binding: str = BINDINGS[0]  # as `arcan serve --binding` takes it
    start: str = STARTS[0]  # as `arcan serve --start` takes it; not its default, which is that of a machine
    deletions: str = DELETIONS[0]  # as `arcan serve --deletions` takes it


def read_servers(data: bytes, source: str, overlays: Sequence[Overlay]) -> tuple[ServerSettings, ...]:
    """The servers of those overlays that have one: `deploy` at the top holds for all, an overlay's over it.

    Nothing else of the file is looked at. Raises `InvalidFile`, with the line.
    """
    file = read_mapping(data, source, aliases=True)
    base = _of(file, _Deploy())
    declared = file.optional_mapping("overlays")
    servers = []
    policies_used: dict[str, bool] = {}  # by where they are written
    for overlay in overlays:
        own = declared.optional_mapping(overlay.name) if declared and overlay.name in declared else None
        deploy = base if own is None else _of(own, base)
        if not deploy.enabled:
            continue
        if deploy.image is None:
            (own or file).fail(
                f"the server of overlay '{overlay.name}' has no image: 'server.deploy.image' is missing",
                hint="build one from the Dockerfile, push it, and name it with a tag or a digest",
            )
        if deploy.policies != NO_EXCEPTIONS:
            has_policies = any(name.startswith(POLICIES) for name in deploy.components)
            policies_used[deploy.policies_at] = has_policies or policies_used.get(deploy.policies_at, False)
        select = deploy.select or (f"*/{overlay.environment}",)
        chosen = (deploy.components, deploy.replicas, deploy.policies)
        demands = (deploy.binding, deploy.start, deploy.deletions)
        servers.append(ServerSettings(overlay, deploy.image, select, *chosen, *demands))
    for where, used in policies_used.items():
        if not used:
            known = ", ".join(name for name in component_names() if name.startswith(POLICIES))
            problem = "'policies' are exceptions, and no server that has them has a component of policies"
            raise InvalidFile(f"{where}: {problem}", hint=f"add one to 'server.deploy.components': {known}")
    return tuple(servers)


def _of(parent: Fields, base: _Deploy) -> _Deploy:
    server = parent.optional_mapping("server")
    fields = None if server is None else server.optional_mapping("deploy")
    if fields is None:
        return base
    fields.only(*_FIELDS)
    deploy = replace(base, enabled=fields.flag("enabled", True))
    if (image := fields.optional_text("image")) is not None:
        deploy = replace(deploy, image=fields.parse("image", Image, image))
    if (select := fields.optional_texts("select")) is not None:
        if not select:
            fields.fail("'select' selects nothing", field="select", hint="leave it out for */ENVIRONMENT")
        deploy = replace(deploy, select=select)
    if (components := fields.optional_texts("components")) is not None:
        deploy = replace(deploy, components=_components(fields, components))
    if (replicas := fields.optional_mapping("replicas")) is not None:
        deploy = replace(deploy, replicas=_replicas(replicas))
    if (binding := fields.optional_text("binding")) is not None:
        deploy = replace(deploy, binding=one_of(fields, "binding", binding, BINDINGS))
    if (start := fields.optional_text("start")) is not None:
        deploy = replace(deploy, start=one_of(fields, "start", start, STARTS))
    if (deletions := fields.optional_text("deletions")) is not None:
        deploy = replace(deploy, deletions=one_of(fields, "deletions", deletions, DELETIONS))
    if (policies := fields.optional_mapping("policies")) is not None:
        where = f"{fields.source}:{fields.line_of('policies')}"
        deploy = replace(deploy, policies=StorePolicy.read(policies), policies_at=where)
    return deploy


def _components(fields: Fields, names: Sequence[str]) -> tuple[str, ...]:
    known = component_names()
    for name in names:
        one_of(fields, "components", name, known)
    if all(name in names for name in _CERTIFICATES):
        fields.fail(
            f"{' and '.join(_CERTIFICATES)} exclude each other: each makes Secret arcan-tls",
            field="components",
            hint="keep one of them",
        )
    return tuple(name for name in known if name in names)


def _replicas(fields: Fields) -> Replicas:
    fields.only("min", "max")
    replicas = Replicas(fields.integer("min"), fields.integer("max"))
    if not 1 <= replicas.least <= replicas.most:
        fields.fail("replicas must be 1 <= min <= max", field="min", hint="as in {min: 2, max: 6}")
    return replicas
