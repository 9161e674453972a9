"""What the examples of the pages do not show: servers and their policies, owners, other stores."""

from __future__ import annotations

import json

import pytest

from arcan_gitops.review.owners import Owners
from arcan_gitops.review.rules.clear import secrets_in
from arcan_gitops.review.rules.keys import _renamed
from tests.review.sample import Sample

DEPLOY = """\
server:
  deploy:
    image: registry.example.com/platform/arcan:1
    binding: required
    components: [own-ca, policies/kyverno]
"""


def found(sample: Sample, base: str = "main") -> dict[str, list[str]]:
    printed = sample.arcan("review", base, "--format=json", "--fail-on=none", "--facts-only")
    messages: dict[str, list[str]] = {}
    for finding in json.loads(printed)["findings"]:
        messages.setdefault(finding["rule"], []).append(finding["message"])
    return messages


@pytest.fixture
def with_server(sample: Sample) -> Sample:
    """The base is the branch `before`."""
    settings = sample.path("kustomize/arcan.yaml")
    lines = settings.read_text().splitlines(keepends=True)
    at = lines.index("server:\n")
    url = next(line for line in lines if line.startswith("  url:"))
    lines[at : lines.index(url) + 1] = DEPLOY.replace("  deploy:", f"{url}  deploy:").splitlines(
        keepends=True
    )
    settings.write_text("".join(lines))
    sample.repository.commit()
    sample.repository.git("branch", "--force", "before")
    return sample


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[own-ca, policies/kyverno]", "[own-ca]", "its policies on stores are gone"),
        ("binding: required", "binding: optional", "no longer have to be bound"),
        ("arcan:1", "arcan:2", "another image"),
        ("    binding", "    policies: {allowedHosts: ['evil.example.net:443']}\n    binding", "more hosts that stores may ask"),
        ("    binding", "    policies: {exemptStores: [evil/store]}\n    binding", "more stores that no policy holds"),
        ("    binding", "    select: ['*']\n    binding", "it serves more"),
    ],
)  # fmt: skip
def test_a_server_that_is_held_to_less_is_a_gain(with_server: Sample, old: str, new: str, says: str) -> None:
    settings = with_server.path("kustomize/arcan.yaml")
    assert old in settings.read_text()
    settings.write_text(settings.read_text().replace(old, new, 1))
    assert any(says in message for message in found(with_server, "before")["ARR210"])


def test_a_server_that_goes_takes_its_policies_with_it(with_server: Sample) -> None:
    settings = with_server.path("kustomize/arcan.yaml")
    settings.write_text(settings.read_text().replace("  deploy:\n", "  deploy:\n    enabled: false\n"))
    assert len(found(with_server, "before")["ARR210"]) == 4


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "a/b/c", True),
        ("/realms/", "realms/a/b", True),
        ("/realms/", "x/realms/a", False),
        ("realms/", "x/realms/a", True),
        ("/realms/*", "realms/a", True),
        ("/realms/*", "realms/a/b", False),
        ("/realms/**", "realms/a/b", True),
        ("**/prod.sops.yaml", "realms/a/prod.sops.yaml", True),
        ("*.yaml", "a/b.yaml", True),
        ("/.sops.yaml", ".sops.yaml", True),
        ("/.sops.yaml", "a/.sops.yaml", False),
        ("/a?c", "abc", True),
        ("/a+c", "aac", False),
    ],
)
def test_patterns_of_codeowners_match_as_githubs(pattern: str, path: str, matches: bool) -> None:
    assert bool(Owners.parse(f"{pattern} @a\n".encode(), "").of(path)) is matches


def test_the_last_line_that_matches_counts_also_where_it_names_nobody() -> None:
    owners = Owners.parse(b"# all\n* @a @b\n/x/ @c # comment\n/x/y/\n", "CODEOWNERS")
    assert [owners.of(path) for path in ("z", "x/z", "x/y/z")] == [("@a", "@b"), ("@c",), ()]


@pytest.mark.parametrize(
    "text",
    [
        "see AGE-SECRET-KEY-1... in the manual",
        "arc_YOUR_API_TOKEN",
        "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----",
        "kind: Secret\nmetadata: {name: a}\n",
        "kind: SecretStore\ndata:\n  a: b\n",
        "apiVersion: v1\nkind: Secret\ndata:\n  a: ENC[AES256_GCM,data:x]\n",
        "A" * 400,
    ],
)
def test_what_looks_like_a_secret_and_is_none_is_not_told(text: str) -> None:
    assert secrets_in(text.encode(), "a.yaml") == []


def test_a_document_that_was_moved_long_ago_is_not_told_again(sample: Sample) -> None:
    sample.sh("git mv realms/platform/dr.sops.yaml realms/platform/far.sops.yaml")
    assert "ARR215" in found(sample)
    sample.repository.commit()
    sample.repository.git("branch", "--force", "before")
    sample.sh("sed -i '1i # a comment' realms/platform/far.sops.yaml")
    assert "ARR215" not in found(sample, "before")


def test_many_keys_that_are_renamed_at_once_are_paired_in_their_order() -> None:
    old = {f"OLD_{number}" if number % 2 else f"KEPT_{number}": "" for number in range(20_000)}
    new = {name.replace("OLD", "NEW"): "" for name in old}
    gone, made = [name for name in old if name not in new], [name for name in new if name not in old]
    assert _renamed(old, new, gone, made) == {name: name.replace("NEW", "OLD") for name in made}
    assert _renamed({"A": "", "B": ""}, {"C": "", "B": "", "D": ""}, ["A"], ["C", "D"]) == {"C": "A"}
    assert _renamed({"A": "", "B": ""}, {"B": "", "D": ""}, ["A"], ["D"]) == {}
