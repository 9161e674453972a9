"""`credentials: account`: what overlays hold, what apps need no more, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ruamel.yaml import YAML

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import AccountName, RealmName
from arcan_gitops.overlay import App, Catalogue, Settings, TokenScope, Tree, build_overlays
from arcan_gitops.overlay.ca import EmbeddedCa
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.inventory import inventory_text, read_inventories
from arcan_gitops.overlay.needed_tokens import creating, needed_scope
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.yamlio import InvalidFile
from tests.overlay.samples import PLATFORM, PRODUCTION, SAMPLES

SETTINGS = """\
credentials: account
clusterKeys: eu
overlays: {prod: {environment: prod}}
"""
SHOP = "name: {0}\nrealm: {1}\nnamespace: {2}\nsecrets: [{{name: {0}, keys: [{3}]}}]\n"


def settings(text: str = SETTINGS) -> Settings:
    def no_file(path: str) -> EmbeddedCa:
        raise AssertionError(path)

    return Settings.parse(text.encode(), "arcan.yaml", no_file)


def app(
    name: str, realm: str = "production", namespace: str = "shop", key: str = "REDIS_URL", more: str = ""
) -> App:
    return App.parse((SHOP.format(name, realm, namespace, key) + more).encode(), f"{name}.yaml")


def granting(*accounts: str, realm: RealmName = PRODUCTION, scope: TokenScope = TokenScope()) -> Catalogue:  # noqa: B008
    held: Mapping[RealmName, Mapping[AccountName, TokenScope]] = {
        realm: {AccountName.parse(each): scope for each in accounts}
    }
    return replace(SAMPLES, accounts={**SAMPLES.accounts, **held})


def objects(text: str) -> list[dict[str, Any]]:
    return [document for document in YAML(typ="safe", pure=True).load_all(text) if document]


def built(text: str, catalogue: Catalogue, *apps: App) -> Tree:
    return build_overlays(apps, settings(text), catalogue)


def problems(text: str, catalogue: Catalogue, *apps: App) -> list[tuple[str, str | None]]:
    with pytest.raises(SeveralErrors) as caught:
        built(text, catalogue, *apps)
    return [(problem.message, problem.hint) for problem in caught.value.problems]


def test_the_account_its_secret_and_the_store_that_reads_it_are_made_in_this_order() -> None:
    tree = built(SETTINGS, granting("eu/shop/arcan-reader"), app("shop"), app("web"))
    account, secret, store = objects(tree["prod/shop/stores.yaml"])
    assert (account["kind"], account["metadata"]["name"]) == ("ServiceAccount", "arcan-reader")
    assert account["automountServiceAccountToken"] is False
    assert secret["type"] == "kubernetes.io/service-account-token"
    assert secret["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "arcan-reader"}
    assert secret["metadata"]["labels"]["external-secrets.io/type"] == "webhook"
    assert not {"data", "stringData"} & set(secret)
    assert {each["metadata"]["namespace"] for each in (account, secret, store)} == {"shop"}
    webhook = store["spec"]["provider"]["webhook"]
    assert webhook["secrets"] == [{"name": "auth", "secretRef": {"name": "arcan-reader", "key": "token"}}]


def test_one_account_of_a_namespace_reads_all_its_realms() -> None:
    catalogue = granting("eu/shop/arcan-reader")
    catalogue = replace(
        catalogue,
        accounts={
            **catalogue.accounts,
            PLATFORM: {AccountName.parse("eu/shop/arcan-reader"): TokenScope()},
        },
    )
    tree = built(SETTINGS, catalogue, app("shop"), app("ops", "platform", key="GCP_CREDENTIALS"))
    made = objects(tree["prod/shop/stores.yaml"])
    assert [(each["kind"], each["metadata"]["name"]) for each in made] == [
        ("ServiceAccount", "arcan-reader"),
        ("Secret", "arcan-reader"),
        ("SecretStore", "arcan.platform"),
        ("SecretStore", "arcan.production"),
    ]


def test_cluster_wide_stores_have_an_account_of_their_overlay_in_eso_s_namespace() -> None:
    text = SETTINGS + "stores: {scope: cluster, esoNamespace: eso}\ntokenSecret: {key: text}\n"
    tree = built(text, granting("eu/eso/arcan-reader.prod"), app("shop"))
    account, secret, store = objects(tree["prod/_platform/cluster-stores.yaml"])
    assert {each["metadata"]["namespace"] for each in (account, secret)} == {"eso"}
    assert store["kind"] == "ClusterSecretStore"
    assert store["spec"]["provider"]["webhook"]["secrets"][0]["secretRef"] == {
        "name": "arcan-reader.prod",
        "key": "token",
        "namespace": "eso",
    }


def test_an_app_that_names_a_token_keeps_it() -> None:
    tree = built(SETTINGS, SAMPLES, app("shop", more="token: shop\n"))
    assert [each["kind"] for each in objects(tree["prod/shop/stores.yaml"])] == ["SecretStore"]


def test_an_account_that_no_realm_grants_is_a_problem_with_the_command_that_grants_it() -> None:
    [(message, hint)] = problems(SETTINGS, SAMPLES, app("shop"))
    assert message == "shop.yaml:2: realm 'production' has no account 'eu/shop/arcan-reader' (overlay 'prod')"
    command = (
        "arcan account add eu/shop/arcan-reader --realm=production --env=prod --key=REDIS_URL; "
        "all that is missing at once: arcan token sync"
    )
    assert hint == f"create it: {command}"


def test_a_scope_that_is_too_narrow_is_a_problem_with_the_command_that_widens_it() -> None:
    catalogue = granting("eu/shop/arcan-reader", scope=TokenScope(("prod",), ("SMTP_*",)))
    [(message, hint)] = problems(SETTINGS, catalogue, app("shop"))
    assert "'REDIS_URL' cannot be read by account 'eu/shop/arcan-reader' of realm 'production'" in message
    assert "arcan account scope eu/shop/arcan-reader --realm=production --add-key=REDIS_URL" in f"{hint}"


def test_what_an_account_needs_is_what_its_namespace_reads_on_its_cluster() -> None:
    text = """\
credentials: account
overlays:
  dev: {environment: dev, clusterKeys: eu}
  eu: {environment: prod, clusterKeys: eu}
  us: {environment: prod, cluster: us}
"""
    overlays = settings(text).declared
    apps = [app("shop"), app("web", key="GREETING", more="overlays: [us]\n"), app("ops", namespace="ops")]

    def needed(account: str) -> TokenScope | None:
        return needed_scope(apps, overlays, Credential(PRODUCTION, account=AccountName.parse(account)))

    assert needed("eu/shop/arcan-reader") == TokenScope(("dev", "prod"), ("REDIS_URL",))
    assert needed("us/shop/arcan-reader") == TokenScope(("prod",), ("GREETING", "REDIS_URL"))
    assert needed("us/other/arcan-reader") is None
    assert isinstance(overlays[0], Overlay)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("credentials: account\n", "arcan.yaml:1: apps read by accounts, and nothing says which cluster"),
        ("credentials: account\noverlays: {a: {environment: a}}\n", "overlay 'a' read by accounts"),
        ("credentials: vault\n", "credentials 'vault' is not known"),
        ("clusterKeys: in-cluster\n", "'in-cluster' is not a valid cluster name"),
        ("tokens: {name: '{app}{overlay}'}\n", "two apps could get one token"),
        ("tokens: {name: '{team}'}\n", "gives no names of tokens"),
        ("tokenSecret: {name: arcan-reader}\n", "Secret 'arcan-reader' is that of the account"),
    ],
)
def test_settings_that_cannot_hold_are_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        settings(text)
    assert problem in caught.value.message


TOKENS = (
    "tokens: {name: '{app}.{overlay}'}\noverlays: {prod: {environment: prod}, dev: {environment: staging}}\n"
)


def test_a_pattern_names_the_tokens_of_apps_that_name_none() -> None:
    known = {"shop.prod": TokenScope(), "shop.dev": TokenScope()}
    catalogue = replace(SAMPLES, tokens={**SAMPLES.tokens, PRODUCTION: known})
    tree = built(TOKENS + "stores: {fullNames: true}\n", catalogue, app("shop"))
    for overlay in ("prod", "dev"):
        [store] = objects(tree[f"{overlay}/shop/stores.yaml"])
        assert store["metadata"]["name"] == f"arcan.production.shop.{overlay}"
    found = problems(TOKENS, SAMPLES, app("shop"))
    assert [message for message, _ in found] == [
        "shop.yaml:2: realm 'production' has no token 'shop.dev' (overlay 'dev')",
        "shop.yaml:2: realm 'production' has no token 'shop.prod' (overlay 'prod')",
    ]
    assert "--name=shop.dev --policy=read-only --env=staging --key=REDIS_URL" in f"{found[0][1]}"


def test_a_token_s_name_that_the_pattern_makes_too_long_is_a_problem_of_the_app() -> None:
    name = "a" * 61
    [(message, hint), *_] = problems(TOKENS, SAMPLES, app(name))
    assert message == f"{name}.yaml:2: '{name}.dev' is not a valid token name"
    assert f"name the token of app '{name}' in its file" in f"{hint}"


def test_without_a_token_and_without_a_way_to_name_one_the_app_is_a_problem() -> None:
    [(message, hint)] = problems("overlays: {prod: {environment: prod}}\n", SAMPLES, app("shop"))
    assert message == "shop.yaml:2: no token is given for overlay 'prod'"
    assert "credentials: account" in f"{hint}"


def test_an_inventory_has_the_accounts_and_a_file_without_them_is_read() -> None:
    catalogue = granting("eu/shop/arcan-reader", scope=TokenScope(("prod",), ("A",)))
    text = inventory_text(PRODUCTION, catalogue)
    read = read_inventories([(text.encode(), "inventory.yaml")])
    assert read.accounts[PRODUCTION] == catalogue.accounts[PRODUCTION]
    assert "accounts" not in inventory_text(PLATFORM, catalogue)


def test_the_command_that_grants_an_account_names_all_of_it() -> None:
    read = Credential(PRODUCTION, account=AccountName.parse("eu/shop/arcan-reader"))
    assert creating(read, TokenScope(("prod",), None), "90d") == (
        "arcan account add eu/shop/arcan-reader --realm=production --env=prod"
    )
