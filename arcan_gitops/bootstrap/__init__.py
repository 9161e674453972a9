"""What a cluster needs and Git must not hold, for one overlay; and how to make ESO look again.

- `requirements`: from the declared apps and the server's settings to the Secrets and ConfigMaps.
- `outputs`: those as a script of kubectl commands, as manifests, or as Terraform.
- `certificate`: the Secret and the ConfigMap of one certificate for all replicas.
- `refreshes`: which ExternalSecrets to annotate, and `kubectl`, which does it.
"""

from arcan_gitops.bootstrap.certificate import certificate_manifests
from arcan_gitops.bootstrap.kubectl import Kubectl
from arcan_gitops.bootstrap.refreshes import Refresh, refreshes
from arcan_gitops.bootstrap.requirements import Requirements, requirements

__all__ = [
    "Kubectl",
    "Refresh",
    "Requirements",
    "certificate_manifests",
    "refreshes",
    "requirements",
]
