"""The objects that a cluster needs: where they stand, and which values go into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arcan_gitops.names import KeyName, Namespace, ObjectName
from arcan_gitops.overlay.credentials import Credential


@dataclass(frozen=True, slots=True)
class Value:
    """A text that somebody has, or makes.

    `file` is where it may lie, below a folder of values; `what` says it to people. A `token` that no
    tokens.yaml has `recorded` is made by the command that also records it, with the options `scope`. A text
    of several lines comes `from_file` only.
    """

    file: str
    what: str
    token: Credential | None = None
    recorded: bool = False
    scope: str = ""
    from_file: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """A Kubernetes Secret; `labelled` with what ESO's webhook provider asks for."""

    namespace: Namespace
    name: ObjectName
    values: Mapping[KeyName, Value]
    labelled: bool = False
    of: str = ""  # who reads it: "store infisical"


@dataclass(frozen=True, slots=True)
class Authority:
    """A ConfigMap with a CA; a copy of the server's own where no `value` is given."""

    namespace: Namespace
    name: ObjectName
    key: KeyName
    value: Value | None
