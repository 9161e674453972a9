"""The fallback for what is not read natively: the getsops binary, for what an operator allows, and no more.

fallback = Fallback(Binary(Path("/usr/local/bin/sops")), AllowList.parse(["pgp"], []))
document = fallback.load(data, identities=[])
"""

from arcan_gitops.getsops.allow import AllowList, NotAllowed
from arcan_gitops.getsops.binary import Binary, BinaryFailed
from arcan_gitops.getsops.environment import environment_for
from arcan_gitops.getsops.fallback import Fallback

__all__ = [
    "AllowList",
    "Binary",
    "BinaryFailed",
    "Fallback",
    "NotAllowed",
    "environment_for",
]
