"""What does not go together: apps and their stores, and the server of their overlay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from arcan_gitops.deploy.names import SERVER_NAMESPACE, SERVICE_HOSTS
from arcan_gitops.deploy.policies import POLICIES
from arcan_gitops.deploy.server import Server
from arcan_gitops.overlay import App
from arcan_gitops.overlay.ca import PublicCa
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.placement import placements
from arcan_gitops.overlay.settings import DEFAULTS, Overlay
from arcan_gitops.overlay.stores.endpoint import is_plain_http
from arcan_gitops.overlay.stores.webhook import Webhook
from arcan_gitops.yamlio import InvalidFile


def find_intruders(apps: Sequence[App], servers: Iterable[Server]) -> Iterator[InvalidFile]:
    """Apps that want Secrets in the server's own namespace, where its age identity and its key are."""
    for server in servers:
        for placement in placements(apps, server.settings.overlay):
            if SERVER_NAMESPACE in placement.namespaces:
                field = "namespaces" if isinstance(placement.place, ManyNamespaces) else "namespace"
                overlay = placement.overlay.name
                problem = f"namespace '{SERVER_NAMESPACE}' is the server's own in overlay '{overlay}'"
                yield InvalidFile(
                    f"{placement.app.at(field)}: {problem}", hint="choose another, or leave the overlay out"
                )


def find_unserved(apps: Sequence[App], servers: Iterable[Server]) -> Iterator[InvalidFile]:
    """Apps that read an environment which the server of their overlay does not select: it would answer 400
    `unknown_environment` for ever. A server that the stores do not ask (`server.url` leads elsewhere) is not
    looked at.
    """
    for server in servers:
        overlay = server.settings.overlay
        if urlsplit(overlay.settings.server_url).hostname not in SERVICE_HOSTS:
            continue
        for placement in placements(apps, overlay):
            read = placement.credential
            if read is not None and (read.realm, overlay.environment) not in server.selected:
                missing = f"{read.realm}/{overlay.environment}"
                problem = f"the server of overlay '{overlay.name}' does not select {missing}"
                hint = f"add it to 'server.deploy.select' ({overlay.where})"
                yield InvalidFile(f"{placement.app.at('realm')}: {problem}", hint=hint)


def find_refused(apps: Sequence[App], servers: Iterable[Server]) -> Iterator[str]:
    """Warnings of declared webhook stores that the server's own policies would refuse in its cluster."""
    for server in servers:
        overlay, policy = server.settings.overlay, server.settings.policies
        if not any(name.startswith(POLICIES) for name in server.settings.components):
            continue
        hosts = (urlsplit(overlay.settings.server_url).netloc, *policy.allowed_hosts)
        for placement in placements(apps, overlay):
            store = placement.declared_store
            if store is None or not isinstance(store.backend, Webhook):
                continue
            namespace = placement.store_namespace
            name = str(store.name) if namespace is None else f"{namespace}/{store.name}"
            if name in policy.exempt_stores:
                continue
            refused = f"{store.where}: store '{name}' is refused by the policies of overlay '{overlay.name}'"
            exempt = f"exempt it in 'server.deploy.policies.exemptStores': {name}"
            host = store.backend.url.partition("//")[2].partition("/")[0]
            if is_plain_http(store.backend.url):
                yield f"{refused}: it is not https; {exempt}"
            elif isinstance(store.backend.ca, PublicCa):
                yield f"{refused}: it names no CA; {exempt}"
            elif host not in hosts:
                yield f"{refused}: add '{host}' to 'server.deploy.policies.allowedHosts'"


def find_unreachable(
    apps: Sequence[App], overlays: Sequence[Overlay], servers: Sequence[Server]
) -> Iterator[str]:
    """Warnings of Arcan stores whose `server.url` nothing answers, as far as that can be told from here: the
    default beside a server in the cluster, and the Service of a server that no overlay of the cluster has.
    """
    served = {server.settings.overlay.name for server in servers}
    clusters = {server.settings.overlay.cluster for server in servers}
    for overlay in overlays:
        if not any(placement.credential is not None for placement in placements(apps, overlay)):
            continue
        url = overlay.settings.server_url
        if overlay.name in served and url == DEFAULTS.server_url:
            own = f"https://{SERVICE_HOSTS[0]}:{urlsplit(url).port}"
            yield (
                f"{overlay.where}: overlay '{overlay.name}' has a server, and its stores ask {url}: "
                f"set server.url to {own} unless that name leads there"
            )
        elif overlay.cluster not in clusters and urlsplit(url).hostname in SERVICE_HOSTS:
            yield (
                f"{overlay.where}: the stores of overlay '{overlay.name}' ask {url}, and no overlay of its "
                "cluster has a server: add 'server.deploy', or set 'server.url' to where one is"
            )
