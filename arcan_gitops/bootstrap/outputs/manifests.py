"""Manifests with a placeholder for each value."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from arcan_gitops.bootstrap.objects import Authority, Secret
from arcan_gitops.bootstrap.outputs.texts import certificate_note, comments, made_by, title
from arcan_gitops.bootstrap.requirements import Requirements
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.opaque_secret import opaque_secret
from arcan_gitops.yamlio import emit

PLACEHOLDER: Final = "REPLACE_ME"


def as_manifests(needed: Requirements, context: str | None) -> str:
    """Namespaces, Secrets and ConfigMaps, in the order to apply them."""
    into = "" if context is None else f" --context={shlex.quote(context)}"
    head = comments(_head(needed, f"kubectl apply --server-side{into} -f -"))
    spaces = emit(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": str(name)}}
        for name in needed.namespaces
    )
    secrets = (_noted(_secret_notes(secret), _secret(secret)) for secret in needed.secrets)
    maps = (_noted(_authority_notes(each), _authority(each)) for each in needed.authorities)
    return "".join((head, spaces, *secrets, *maps))


def _head(needed: Requirements, command: str) -> Iterator[str]:
    yield from title(needed, "manifests")
    yield f"Replace every {PLACEHOLDER} in a copy that no repository holds, then: {command}"
    yield from certificate_note(needed)
    for note in needed.notes:
        yield f"{note} It is not among these."


def _noted(notes: Iterator[str], manifest: Manifest) -> str:
    """The notes stand below the line that starts the document."""
    return "---\n" + comments(notes) + emit([manifest]).removeprefix("---\n")


def _secret_notes(secret: Secret) -> Iterator[str]:
    yield f"For {secret.of}."
    for key, value in secret.values.items():
        made = "" if value.token is None else f"; {made_by(value)}"
        yield f"{key}: {value.what}{made}"


def _secret(secret: Secret) -> Manifest:
    placeholders = dict.fromkeys(secret.values, PLACEHOLDER)
    return opaque_secret(secret.name, secret.namespace, placeholders, labelled=secret.labelled)


def _authority_notes(authority: Authority) -> Iterator[str]:
    yield (
        "The CA of the server's certificate (PEM)." if authority.value is None else f"{authority.value.what}."
    )


def _authority(authority: Authority) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": str(authority.name), "namespace": str(authority.namespace)},
        "data": {str(authority.key): PLACEHOLDER},
    }
