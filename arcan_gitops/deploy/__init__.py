"""The server in a cluster: what Kustomize needs beside the overlays, and the manifests for a first try.

- `packaged`: the base and the components, hand-written, in `kustomize/` beside this module.
- `names`: of the objects that those are written with.
- `settings`: `server.deploy` of arcan.yaml, for each overlay that has a server of its own.
- `policies`: the parameters of the policies on stores, as each engine holds them.
- `realms`: realms/<realm>/kustomization.yaml, which makes ConfigMaps of a realm's files.
- `server`: kustomize/servers/<overlay>/, where the base, the selected realms and the components meet.
- `check`: whether that server is where the stores ask, has what their apps read, and lets in other stores.
- `static`: deploy/kubernetes/eso/, with placeholders.
"""

from arcan_gitops.deploy.check import find_intruders, find_refused, find_unreachable, find_unserved
from arcan_gitops.deploy.clusters import cluster_tree
from arcan_gitops.deploy.packaged import base_tree, component_names, component_tree
from arcan_gitops.deploy.realms import RealmFolder, realm_tree
from arcan_gitops.deploy.server import Server, server_tree
from arcan_gitops.deploy.settings import ServerSettings, read_servers
from arcan_gitops.deploy.static import static_tree

__all__ = [
    "RealmFolder",
    "Server",
    "ServerSettings",
    "base_tree",
    "cluster_tree",
    "component_names",
    "component_tree",
    "find_intruders",
    "find_refused",
    "find_unreachable",
    "find_unserved",
    "read_servers",
    "realm_tree",
    "server_tree",
    "static_tree",
]
