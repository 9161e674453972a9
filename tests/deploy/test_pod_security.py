"""The Pod Security Standard `restricted`, as Kubernetes's documentation states it, held against every pod.

Source: kubernetes.io/docs/concepts/security/pod-security-standards, profiles baseline and restricted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.repository import Manifest, one
from tests.deploy.test_manifests import ALL_TOGETHER, build, pod_of

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def broken(pod: Manifest) -> Iterator[str]:
    """The controls that a pod's spec does not meet."""
    whole = pod.get("securityContext", {})
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            yield field
    if any(volume.keys() - {"name"} - VOLUMES for volume in pod.get("volumes", [])):
        yield "volume types"
    if whole.get("sysctls") or whole.get("windowsOptions", {}).get("hostProcess"):
        yield "sysctls or host process"
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for container in pod.get(kind, []):
            own = container.get("securityContext", {})
            if own.get("privileged"):
                yield "privileged"
            if own.get("allowPrivilegeEscalation") is not False:
                yield "allowPrivilegeEscalation"
            if own.get("runAsNonRoot", whole.get("runAsNonRoot")) is not True:
                yield "runAsNonRoot"
            if own.get("runAsUser", whole.get("runAsUser", 1)) == 0:
                yield "runAsUser"
            profile = own.get("seccompProfile", whole.get("seccompProfile", {})).get("type")
            if profile not in ("RuntimeDefault", "Localhost"):
                yield "seccompProfile"
            capabilities = own.get("capabilities", {})
            if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
                yield "capabilities"
            if own.get("procMount", "Default") != "Default" or "hostPort" in str(container.get("ports")):
                yield "procMount or host ports"


@pytest.mark.parametrize("components", [(), ("own-ca",), ("openshift",), ALL_TOGETHER])
def test_a_pod_is_accepted_where_restricted_is_enforced(components: tuple[str, ...], kustomize: Path) -> None:
    objects = build(kustomize, *components)
    pod = pod_of(objects)["spec"]
    assert list(broken(pod)) == []
    labels = one(objects, "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(
    ("control", "where", "value"),
    [
        ("allowPrivilegeEscalation", ("containers", 0, "securityContext", "allowPrivilegeEscalation"), None),
        ("capabilities", ("containers", 0, "securityContext", "capabilities"), {"drop": ["NET_RAW"]}),
        ("runAsNonRoot", ("securityContext", "runAsNonRoot"), None),
        ("runAsUser", ("securityContext", "runAsUser"), 0),
        ("seccompProfile", ("securityContext", "seccompProfile"), {"type": "Unconfined"}),
        ("volume types", ("volumes", 0), {"name": "host", "hostPath": {"path": "/"}}),
        ("hostNetwork", ("hostNetwork",), True),
    ],
)
def test_the_check_sees_what_breaks_it(
    control: str, where: tuple[str | int, ...], value: object, kustomize: Path
) -> None:
    pod = pod_of(build(kustomize))["spec"]
    place: object = pod
    for step in where[:-1]:
        place = place[step]  # type: ignore[index]
    place[where[-1]] = value  # type: ignore[index]
    assert list(broken(pod)) == [control]


def test_it_is_stricter_than_the_standard(kustomize: Path) -> None:
    objects = build(kustomize)
    pod = pod_of(objects)["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["automountServiceAccountToken"] is False
    assert one(objects, "ServiceAccount")["automountServiceAccountToken"] is False
    assert not any("emptyDir" in volume for volume in pod["volumes"])  # there is nothing that it may write
    kinds = ("secret", "projected", "configMap")
    modes = [volume[kind]["defaultMode"] for volume in pod["volumes"] for kind in kinds if kind in volume]
    assert modes == [0o444, 0o440, 0o440, 0o444, 0o440]
