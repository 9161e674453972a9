"""What may be contacted: said exactly, and compared in one spelling."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.errors import ArcanError
from arcan_gitops.getsops import AllowList, environment_for
from arcan_gitops.getsops.allow import Key, keys_of
from arcan_gitops.getsops.key_types import KEY_TYPES, origin
from arcan_gitops.sops import Malformed

ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::123456789012:role/path/sops"
RESOURCE = "projects/example.com:shop/locations/global/keyRings/ring/cryptoKeys/key"


def kms(arn: str = ARN, **fields: str) -> dict[str, object]:
    return {"kms": [{"arn": arn, **fields}]}


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://vault.example.com", "https://vault.example.com"),
        ("https://vault.example.com/", "https://vault.example.com"),
        ("https://Vault.Example.COM:443", "https://vault.example.com"),
        ("http://vault:8200/", "http://vault:8200"),
        ("http://[::1]:8200", "http://[::1]:8200"),
        ("https://vault.example.com./", None),
        ("https://user@vault", None),
        ("https://user:secret@vault", None),
        ("https://vault/v1", None),
        ("https://vault?x", None),
        ("https://vault#x", None),
        ("https://vault:0", None),
        ("https://vault:080", None),
        ("https://vault:", None),
        ("https://", None),
        ("https:vault", None),
        ("//vault", None),
        ("HTTPS://vault", None),
        ("ftp://vault", None),
        ("https://vault\n", None),
        (" https://vault", None),
        ("https://va ult", None),
        ("https://vault\\@x", None),
        ("https://vault%2e", None),
        ("https://v\u0430ult", None),
        ("https://vault\u3002example", None),
        ("", None),
    ],
)
def test_an_origin_is_a_scheme_a_host_and_a_port_and_nothing_else(url: str, read: str | None) -> None:
    assert origin(url) == read


@given(st.text(alphabet="htps:/@.?#\\ a1[]%\n", max_size=20))
def test_an_origin_in_its_one_spelling_is_itself(text: str) -> None:
    found = origin(f"http://{text}")
    if found is not None:
        assert origin(found) == found
        assert set("@?#\\ %\n").isdisjoint(found)


@pytest.mark.parametrize(
    ("allowed", "contacted", "has"),
    [
        (ARN, ARN, True),
        (ARN, ARN + "0", False),
        (ARN[:-1], ARN, False),
        ("arn:aws:kms:eu-west-1:123456789012:", ARN, True),
        ("arn:aws:kms:eu-west-1:123456789012:key/", ARN, True),
        ("arn:aws:kms:eu-west-1:12345678901", ARN, False),
        ("arn:aws:kms:eu-west-2:123456789012:", ARN, False),
        (ARN.upper(), ARN, False),
    ],
)
def test_an_arn_is_allowed_whole_or_by_its_beginning(allowed: str, contacted: str, has: bool) -> None:
    if not KEY_TYPES["kms"].form(allowed):
        with pytest.raises(ArcanError, match="is not an address of an allowed key type"):
            AllowList.parse(["kms"], [allowed])
        return
    missing = AllowList.parse(["kms"], [allowed]).missing([Key("kms", (contacted,))])
    assert missing == (() if has else (f"--allow-key-address {contacted}",))


def test_an_origin_is_allowed_whole_only() -> None:
    allowed = AllowList.parse(["hc_vault"], ["https://vault.example.com/"])
    assert not allowed.missing([Key("hc_vault", ("https://vault.example.com",))])
    assert allowed.missing([Key("hc_vault", ("https://vault.example.com.evil.example",))])
    assert allowed.missing([Key("hc_vault", ("https://vault.example.com:444",))])
    assert allowed.missing([Key("hc_vault", ("http://vault.example.com",))])


def test_an_address_counts_only_with_its_type() -> None:
    allowed = AllowList.parse(["hc_vault"], ["https://vault.example.com"])
    assert allowed.missing([Key("azure_kv", ("https://vault.example.com",))]) == (
        "--allow-key-type azure_kv", "--allow-key-address https://vault.example.com",
    )  # fmt: skip


def test_nothing_is_allowed_by_default() -> None:
    for name in KEY_TYPES:
        assert AllowList().missing([Key(name, ())]) == (f"--allow-key-type {name}",)


@pytest.mark.parametrize(
    ("types", "addresses", "said"),
    [
        (["kms2"], [], "'kms2' is not a key type"),
        (["kms"], [], "without an address"),
        ([], [ARN], "not an address of an allowed key type"),
        (["pgp"], ["https://vault"], "not an address of an allowed key type"),
        (["hc_vault"], ["vault.example.com"], "not an address"),
        (["hc_vault"], ["https://vault/v1/transit"], "not an address"),
        (["hc_vault", "kms"], ["https://vault"], "'kms' is allowed without an address"),
        (["kms"], ["arn:"], "not an address"),
        (["kms"], [ARN[:-20] + "*"], "not an address"),
        (["kms"], ["arn:aws:kms:eu-west-1:12345678901"], "not an address"),
        (["gcp_kms"], ["projects/shop"], "not an address"),
        (["hckms"], ["tr-west-1"], "not an address"),
    ],
)
def test_an_allowance_that_can_allow_nothing_is_a_mistake(
    types: list[str], addresses: list[str], said: str
) -> None:
    with pytest.raises(ArcanError, match=said) as caught:
        AllowList.parse(types, addresses)
    assert caught.value.hint


def test_every_key_of_every_group_is_found() -> None:
    block = {
        **kms(role=ROLE),
        "pgp": [{"fp": "AB" * 20}],
        "key_groups": [
            {"gcp_kms": [{"resource_id": RESOURCE}], "kms": None},
            {"hckms": [{"key_id": "tr-west-1:1234-abcd"}]},
            {"azure_kv": [{"vault_url": "https://Shop.vault.azure.net", "name": "key", "version": "1a"}]},
            {"age": [{"recipient": recipient, "enc": "x"} for recipient in ("age1pq1x", "age1yubikey1x", "age1x")]},
        ],
    }  # fmt: skip
    assert keys_of(block) == (
        Key("kms", (ARN, ROLE)),
        Key("pgp", ()),
        Key("gcp_kms", (RESOURCE,)),
        Key("hckms", ("tr-west-1:1234-abcd",)),
        Key("azure_kv", ("https://shop.vault.azure.net",)),
        Key("age-pq", ()),
        Key("age-plugin", ()),
    )


@pytest.mark.parametrize(
    "block",
    [
        kms("arn:aws:kms:evil.example/:123456789012:key/a"),
        kms("arn:aws:kms:eu-west-1.evil.example:123456789012:key/a"),
        kms(f"{ARN}\n"),
        kms(f"{ARN},{ARN}"),
        kms(f"{ARN}+{ROLE}"),
        kms("alias/x"),
        kms(role="arn:aws:iam::1:role/x"),
        kms(role="https://evil.example"),
        {"gcp_kms": [{"resource_id": "projects/../x"}]},
        {"gcp_kms": [{"resource_id": RESOURCE + "/../x"}]},
        {"hckms": [{"key_id": "evil.example/:1"}]},
        {"azure_kv": [{"vault_url": "https://shop.vault.azure.net/keys", "name": "key"}]},
        {"azure_kv": [{"vault_url": "https://shop.vault.azure.net", "name": "../x"}]},
        {"azure_kv": [{"vault_url": "https://shop.vault.azure.net", "name": "x", "version": "../x"}]},
        {"pgp": [{"fp": "--option"}]},
    ],
)
def test_a_key_that_sops_would_not_write_is_refused_without_being_shown(
    block: dict[str, object],
) -> None:
    with pytest.raises(Malformed) as caught:
        keys_of(block)
    assert "evil" not in f"{caught.value} {caught.value.hint}"


# The environment

GIVEN = {
    "PATH": "/bin",
    "HOME": "/nowhere",
    "VAULT_TOKEN": "t",
    "VAULT_ADDR": "https://elsewhere",
    "VAULT_AGENT_ADDR": "https://elsewhere",
    "VAULT_PROXY_ADDR": "https://elsewhere",
    "AWS_PROFILE": "p",
    "AWS_SESSION_TOKEN": "s",
    "GOOGLE_CREDENTIALS": "g",
    "AZURE_CLIENT_SECRET": "a",
    "HTTPS_PROXY": "proxy",
    "GNUPGHOME": "/gpg",
    "SOPS_AGE_KEY": "k",
    "SOPS_KEYSERVICE": "tcp://elsewhere",
    "LD_PRELOAD": "x",
}


@pytest.mark.parametrize(
    ("types", "names"),
    [
        ([], set()),
        (["age-pq"], set()),
        (["age-plugin"], {"PATH"}),
        (["pgp"], {"PATH", "GNUPGHOME"}),
        (["hc_vault"], {"VAULT_TOKEN", "HTTPS_PROXY"}),
        (["kms"], {"AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY"}),
        (["gcp_kms", "azure_kv"], {"GOOGLE_CREDENTIALS", "AZURE_CLIENT_SECRET", "HTTPS_PROXY"}),
        (["hckms"], {"HTTPS_PROXY"}),
    ],
)
def test_the_environment_is_what_the_allowed_types_need(types: list[str], names: set[str]) -> None:
    assert set(environment_for(types, GIVEN, Path("/nonexistent"))) == names


def test_credentials_are_found_where_sops_finds_them(tmp_path: Path) -> None:
    for file in (".aws/config", ".gnupg/x", ".vault-token"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(" content\n")
    assert environment_for(["kms"], {}, tmp_path) == {"AWS_CONFIG_FILE": str(tmp_path / ".aws/config")}
    assert environment_for(["pgp"], {}, tmp_path) == {"GNUPGHOME": str(tmp_path / ".gnupg")}
    assert environment_for(["pgp"], GIVEN, tmp_path)["GNUPGHOME"] == "/gpg"
    assert environment_for(["hc_vault"], {}, tmp_path) == {"VAULT_TOKEN": "content"}
    assert environment_for(["hc_vault"], GIVEN, tmp_path)["VAULT_TOKEN"] == "t"
