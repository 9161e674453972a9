"""The environment of the getsops binary: what the allowed key types need, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from arcan_gitops.getsops.key_types import KEY_TYPES, NETWORK_VARIABLES

# Where credentials are by default, for the binary gets an empty directory as its home: (key type, variable,
# file in the home directory). A file of tokens is read, and of the others the path is passed on.
_DEFAULT_FILES: Final = (
    ("kms", "AWS_CONFIG_FILE", ".aws/config"),
    ("kms", "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
    ("gcp_kms", "GOOGLE_APPLICATION_CREDENTIALS", ".config/gcloud/application_default_credentials.json"),
    ("pgp", "GNUPGHOME", ".gnupg"),
)
_VAULT_TOKEN: Final = ".vault-token"


def environment_for(types: Iterable[str], given: Mapping[str, str], home: Path) -> dict[str, str]:
    """The variables of `given` for the allowed key types, and the default places of credentials in `home`,
    where sops would look for them.
    """
    allowed = frozenset(types)
    wanted = [variable for name in allowed for variable in KEY_TYPES[name].variables]
    if any(KEY_TYPES[name].network for name in allowed):
        wanted += NETWORK_VARIABLES
    found = {name: value for name, value in given.items() if any(fnmatchcase(name, glob) for glob in wanted)}
    for type_, variable, file in _DEFAULT_FILES:
        if type_ in allowed and os.path.exists(home / file):
            found.setdefault(variable, str(home / file))
    if "hc_vault" in allowed and not found.get("VAULT_TOKEN"):
        with suppress(OSError):
            found["VAULT_TOKEN"] = (home / _VAULT_TOKEN).read_text("utf-8", "replace").strip()
    return found
