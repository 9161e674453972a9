"""`server.deploy` of arcan.yaml, read alone."""

from __future__ import annotations

import pytest

from arcan_gitops.deploy import ServerSettings, read_servers
from arcan_gitops.deploy.image import Image
from arcan_gitops.deploy.policies import StorePolicy
from arcan_gitops.deploy.settings import Replicas
from arcan_gitops.names import EnvironmentName, InvalidName, OverlayName
from arcan_gitops.overlay.settings import DEFAULTS, Overlay
from arcan_gitops.yamlio import InvalidFile

PROD, STAGING = (
    Overlay(OverlayName(name), EnvironmentName(name), DEFAULTS, "arcan.yaml:1")
    for name in ("prod", "staging")
)


def read(text: str) -> dict[str, ServerSettings]:
    servers = read_servers(text.encode(), "arcan.yaml", (PROD, STAGING))
    return {server.overlay.name: server for server in servers}


def test_without_the_setting_no_overlay_has_a_server() -> None:
    assert read("server: {url: 'https://arcan.internal:9797'}\noverlays: {prod: {environment: prod}}\n") == {}


def test_at_the_top_it_holds_for_all_and_an_overlay_may_differ() -> None:
    servers = read(
        "server: {deploy: {image: 'arcan:1', components: [own-ca], replicas: {min: 1, max: 2}}}\n"
        "overlays: {staging: {server: {deploy: {image: 'arcan:2', components: []}}}}\n"
    )
    assert servers["prod"].image == Image("arcan", "1", None)
    assert servers["prod"].components == ("own-ca",)
    assert servers["prod"].select == ("*/prod",)
    assert servers["staging"].image == Image("arcan", "2", None)
    assert servers["staging"].components == ()
    assert servers["staging"].replicas == Replicas(1, 2)
    assert servers["staging"].select == ("*/staging",)


def test_binding_start_and_deletions_have_the_defaults_of_a_rollout_and_an_overlay_may_differ() -> None:
    servers = read(
        "server: {deploy: {image: 'arcan:1', binding: required}}\n"
        "overlays: {staging: {server: {deploy: {binding: optional, start: sound, deletions: recorded}}}}\n"
    )
    assert (servers["prod"].binding, servers["prod"].start) == ("required", "whole")
    assert (servers["staging"].binding, servers["staging"].start) == ("optional", "sound")
    assert (servers["prod"].deletions, servers["staging"].deletions) == ("optional", "recorded")
    for wrong in ("binding: requird", "start: some", "deletions: some"):
        with pytest.raises(InvalidFile, match=wrong.partition(":")[0]):
            read(f"server: {{deploy: {{image: 'arcan:1', {wrong}}}}}\noverlays: {{prod: {{}}}}\n")


def test_one_overlay_can_go_without() -> None:
    text = "server: {deploy: {image: 'arcan:1'}}\noverlays: {prod: {server: {deploy: {enabled: false}}}}\n"
    assert list(read(text)) == ["staging"]


def test_exceptions_of_the_policies_hold_for_all_until_an_overlay_has_its_own() -> None:
    servers = read(
        "server: {deploy: {image: 'arcan:1', components: [policies/kyverno],"
        " policies: {allowedHosts: ['[::1]:8200', vault], exemptStores: [a/b, c]}}}\n"
        "overlays: {staging: {server: {deploy: {policies: {}}}}}\n"
    )
    assert servers["prod"].policies == StorePolicy(("[::1]:8200", "vault"), ("a/b", "c"))
    assert servers["staging"].policies == StorePolicy()


def test_exceptions_that_no_policy_reads_are_an_error_with_their_line() -> None:
    text = "server:\n  deploy:\n    image: arcan:1\n    policies: {exemptStores: [a/b]}\n"
    with pytest.raises(InvalidFile) as caught:
        read(text)
    assert caught.value.message.startswith("arcan.yaml:4: 'policies' are exceptions")
    assert "policies/kyverno" in (caught.value.hint or "")
    one_has_it = "overlays: {prod: {server: {deploy: {components: [policies/kyverno]}}}}\n"
    assert read(text + one_has_it)["prod"].policies == StorePolicy((), ("a/b",))


def test_components_are_applied_in_one_order_however_they_are_written() -> None:
    text = "server: {deploy: {image: 'arcan:1', components: [openshift, own-ca, monitoring]}}\n"
    assert read(text)["prod"].components == ("monitoring", "own-ca", "openshift")


@pytest.mark.parametrize(
    ("deploy", "problem"),
    [
        ("{}", "arcan.yaml:1: the server of overlay 'prod' has no image"),
        ("{imgae: 'arcan:1'}", "unknown field 'imgae'"),
        ("{image: arcan}", "image 'arcan' has neither a tag nor a digest"),
        ("{image: 'arcan:latest'}", "image 'arcan:latest' is whatever is the latest when a node pulls it"),
        ("{image: 'Arcan:1'}", "'Arcan:1' is not the name of an image"),
        ("{image: 'arcan:1', components: [cert-manger]}", "components 'cert-manger' is not known"),
        (
            "{image: 'arcan:1', components: [own-ca, cert-manager]}",
            "cert-manager and own-ca exclude each other",
        ),
        ("{image: 'arcan:1', replicas: {min: 3, max: 2}}", "replicas must be 1 <= min <= max"),
        ("{image: 'arcan:1', replicas: {min: 0, max: 2}}", "replicas must be 1 <= min <= max"),
        ("{image: 'arcan:1', replicas: {min: 1}}", "'max' is missing"),
        ("{image: 'arcan:1', select: []}", "'select' selects nothing"),
        ("true", "'deploy' must be a mapping"),
        ("{image: 'arcan:1', policies: {hosts: [x]}}", "unknown field 'hosts'"),
        ("{image: 'arcan:1', policies: {allowedHosts: ['https://x']}}", "'https://x' is not a host"),
        ('{image: "arcan:1", policies: {allowedHosts: ["x\'y"]}}', "is not a host"),
        ("{image: 'arcan:1', policies: {exemptStores: ['a/b/c']}}", "'a/b' is not a valid namespace"),
        ("{image: 'arcan:1', policies: {exemptStores: ['']}}", "'' is not a valid Kubernetes object name"),
    ],
)
def test_what_is_no_setting_is_an_error_with_its_line(deploy: str, problem: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        read(f"server: {{deploy: {deploy}}}\n")
    assert problem in caught.value.message
    assert caught.value.message.startswith("arcan.yaml:1: ")


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("arcan:1.2", Image("arcan", "1.2", None)),
        ("ghcr.io/platform/arcan:v1", Image("ghcr.io/platform/arcan", "v1", None)),
        ("localhost:5000/arcan:v1", Image("localhost:5000/arcan", "v1", None)),
        (f"ghcr.io/a/b@sha256:{'a' * 64}", Image("ghcr.io/a/b", None, f"sha256:{'a' * 64}")),
        (f"ghcr.io/a/b:latest@sha256:{'a' * 64}", Image("ghcr.io/a/b", "latest", f"sha256:{'a' * 64}")),
        (f"ghcr.io/a/b:1@sha256:{'a' * 64}", Image("ghcr.io/a/b", "1", f"sha256:{'a' * 64}")),
    ],
)
def test_an_image_is_name_tag_and_digest(text: str, image: Image) -> None:
    assert Image.parse(text) == image


@pytest.mark.parametrize(
    "text", ["", "a b:1", "arcan:", "arcan@sha256:12", "https://ghcr.io/a:1", "a//b:1", "arcan:1\n"]
)
def test_what_is_no_image_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        Image.parse(text)
