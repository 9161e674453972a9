"""Which declared apps use a key or a token."""

from __future__ import annotations

from arcan_gitops.names import EnvironmentName, KeyName, RealmName, TokenName
from arcan_gitops.overlay import App, Settings
from arcan_gitops.overlay.uses import uses_of_keys, uses_of_token

SHOP, PROD, STAGING = RealmName("shop"), EnvironmentName("prod"), EnvironmentName("staging")
WEB = """\
name: web
realm: shop
token: {prod: web, staging: web-staging}
namespace: web
secrets:
  - name: web
    keys:
      - DATABASE_URL
      - {key: API_KEY, as: KEY}
"""
EVERYTHING = """\
name: everything
realm: shop
token: web
namespace: all
overlays: [staging]
secrets:
  - {name: everything, all: true}
"""
OF_ANOTHER = WEB.replace("name: web\nrealm: shop", "name: other\nrealm: other")
OF_A_STORE = """\
name: store
store: vault
namespace: store
secrets:
  - {name: store, keys: [API_KEY]}
"""
OVERLAYS = b"overlays: {eu: {environment: prod}, us: {environment: prod}, staging: {environment: staging}}"


def apps() -> list[App]:
    texts = {"web": WEB, "everything": EVERYTHING, "other": OF_ANOTHER, "store": OF_A_STORE}
    return [App.parse(text.encode(), f"apps/{name}.yaml") for name, text in texts.items()]


def keys(environment: EnvironmentName, *names: str, settings: Settings | None = None) -> list[str]:
    found = uses_of_keys(apps(), settings or Settings(), SHOP, environment, [KeyName(name) for name in names])
    return [str(use) for use in found]


def declared() -> Settings:
    return Settings.parse(OVERLAYS, "arcan.yaml", lambda text: b"")  # type: ignore[arg-type, return-value]


def test_a_key_is_used_by_its_name_and_by_who_asks_for_all():
    assert keys(PROD, "API_KEY") == ["app 'web' uses key 'API_KEY' in prod (apps/web.yaml:9)"]
    assert keys(STAGING, "DATABASE_URL") == [
        "app 'web' uses key 'DATABASE_URL' in staging (apps/web.yaml:8)",
        "app 'everything' uses all keys in staging (apps/everything.yaml:7)",
    ]


def test_a_key_that_no_app_names_is_used_by_nobody():
    assert keys(PROD, "KEY") == []


def test_a_key_is_used_in_the_overlays_of_its_environment():
    assert keys(PROD, "API_KEY", settings=declared()) == [
        "app 'web' uses key 'API_KEY' in eu, us (apps/web.yaml:9)"
    ]


def test_a_token_is_used_where_an_overlay_reads_with_it():
    def uses(token: str) -> list[str]:
        found = uses_of_token(apps(), Settings(), SHOP, [PROD, STAGING], TokenName(token))
        return [str(use) for use in found]

    assert uses("web") == [
        "app 'web' uses token 'web' in prod (apps/web.yaml:3)",
        "app 'everything' uses token 'web' in staging (apps/everything.yaml:3)",
    ]
    assert uses("web-staging") == ["app 'web' uses token 'web-staging' in staging (apps/web.yaml:3)"]
    assert uses("nobody") == []
