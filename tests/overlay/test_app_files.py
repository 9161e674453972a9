"""What a declared app may say, and the error for all else: file, line, and what was probably meant."""

from __future__ import annotations

import pytest

from arcan_gitops.names import KeyName, Namespace, OverlayName
from arcan_gitops.overlay import App
from arcan_gitops.yamlio import InvalidFile

SHOP = """\
name: shop
realm: production
namespace: shop
token: shop
secrets:
  - name: shop-env
    keys:
      - DATABASE_URL
      - {key: SMTP_PASSWORD, as: smtp-password}
  - {name: shop-all, all: true}
"""


def parse(text: str) -> App:
    return App.parse(text.encode(), "kustomize/apps/shop.yaml")


def test_an_app_says_which_keys_go_into_which_secret():
    app = parse(SHOP)
    first, second = app.secrets
    assert first.keys is not None
    assert [(name, entry.key) for name, entry in first.keys.items()] == [
        (KeyName("DATABASE_URL"), "DATABASE_URL"),
        (KeyName("smtp-password"), "SMTP_PASSWORD"),
    ]
    assert second.keys is None
    assert app.goes_to(OverlayName("anywhere"))


def test_every_part_knows_its_line():
    app = parse(SHOP)
    assert app.at("token") == "kustomize/apps/shop.yaml:4"
    assert [secret.where for secret in app.secrets] == [
        "kustomize/apps/shop.yaml:6",
        "kustomize/apps/shop.yaml:10",
    ]
    assert [entry.where for entry in app.secrets[0].entries] == [
        "kustomize/apps/shop.yaml:8",
        "kustomize/apps/shop.yaml:9",
    ]


def test_a_namespace_may_differ_by_overlay():
    app = parse(SHOP.replace("namespace: shop", "namespace: {prod: shop, staging: shop-staging}"))
    assert app.place_in(OverlayName("staging")) == Namespace("shop-staging")
    assert app.place_in(OverlayName("qa")) is None


def test_an_app_may_go_to_some_overlays_only():
    app = parse(SHOP + "overlays: [prod]\n")
    assert app.goes_to(OverlayName("prod"))
    assert not app.goes_to(OverlayName("staging"))


@pytest.mark.parametrize(
    ("old", "new", "line", "problem", "hint"),
    [
        ("name: shop\n", "name: shops\n", 1, "not the file's name", "rename the file to shops.yaml"),
        ("name: shop\n", "name: Shop\n", 1, "not a valid app name", "RFC 1123"),
        ("realm: production", "relm: production", 2, "unknown field 'relm'", "did you mean 'realm'?"),
        ("realm: production", "realm: production\nsecretz: []", 3, "unknown field 'secretz'", "'secrets'"),
        ("realm: production", "realm: pro/duction", 2, "not a valid realm name", "RFC 1123"),
        ("namespace: shop", "namespace: Shop_1", 3, "not a valid namespace", "RFC 1123"),
        ("namespace: shop", "namespace: {prod: shop.eu}", 3, "not a valid namespace", "RFC 1123"),
        ("namespace: shop", "namespace: {Prod: shop}", 3, "not a valid overlay name", "RFC 1123"),
        ("token: shop", "token: 12", 4, "'token' must be a text", None),
        ("token: shop", "token: shop\noverlays: []", 5, "'overlays' is empty", "leave 'overlays' out"),
        ("token: shop", "token: shop\noverlays: [../prod]", 5, "not a valid overlay name", "RFC 1123"),
        ("name: shop-env", "name: shop_env", 6, "not a valid Kubernetes object name", "RFC 1123"),
        ("    keys:", "    key:", 7, "unknown field 'key'", "did you mean 'keys'?"),
        ("- DATABASE_URL", "- DATABASE URL", 8, "'DATABASE URL' is not a valid key name", "1 to 253"),
        ("- DATABASE_URL", "- ../DATABASE_URL", 8, "is not a valid key name", "1 to 253"),
        ("- DATABASE_URL", "- 12", 8, "must be a key's name", "quote it"),
        ("- DATABASE_URL", "- {as: x}", 8, "'key' is missing", None),
        ("as: smtp-password", "as: smtp/password", 9, "'smtp/password' is not a valid key name", "253"),
        (
            "as: smtp-password",
            "name: smtp-password",
            9,
            "unknown field 'name'",
            "known fields: as, decode, key",
        ),
        ("as: smtp-password", "as: DATABASE_URL", 9, "already has an entry 'DATABASE_URL' (line 8)", "as:"),
        ("all: true", "all: false", 10, "'shop-all' asks for nothing", "all: true"),
        ("all: true", "all: true, keys: [A]", 10, "has both 'keys' and 'all'", "keep one"),
        ("all: true", "all: yes please", 10, "'all' must be true or false", None),
        ("all: true", "keys: []", 10, "asks for nothing", "all: true"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, line: int, problem: str, hint: str | None):
    assert old in SHOP
    with pytest.raises(InvalidFile) as error:
        parse(SHOP.replace(old, new, 1))
    assert error.value.message.startswith(f"kustomize/apps/shop.yaml:{line}: ")
    assert problem in error.value.message
    assert hint is None or (error.value.hint is not None and hint in error.value.hint)


def test_an_app_without_secrets_is_refused():
    with pytest.raises(InvalidFile, match="declares no secrets"):
        parse(SHOP[: SHOP.index("secrets:")])
