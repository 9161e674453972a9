"""What the declared apps need of a token, over all overlays: no environment and no key more."""

from __future__ import annotations

from arcan_gitops.names import KeyName, Namespace, ObjectName, RealmName
from arcan_gitops.overlay import App, Settings, TokenScope
from arcan_gitops.overlay.ca import EmbeddedCa
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import TokenPlace, creating, needed_scope, token_places
from arcan_gitops.overlay.settings import Overlay

SHOP = Credential(RealmName("production"), "shop")
SETTINGS = """\
overlays:
  dev: {environment: dev}
  eu: {environment: prod}
  us: {environment: prod, stores: {scope: cluster, fullNames: true}, tokenSecret: {name: other, key: text}}
"""
APP = "name: {0}\nrealm: production\ntoken: {1}\nnamespace: {0}\nsecrets: [{{name: {0}, {2}}}]\n"


def overlays() -> tuple[Overlay, ...]:
    def no_file(path: str) -> EmbeddedCa:
        raise AssertionError(path)

    return Settings.parse(SETTINGS.encode(), "arcan.yaml", no_file).declared


def app(name: str, content: str, *lines: str, token: str = "shop") -> App:
    text = APP.format(name, token, content) + "".join(f"{line}\n" for line in lines)
    return App.parse(text.encode(), f"{name}.yaml")


def test_a_token_of_one_overlay_needs_no_other_environment() -> None:
    only = app("web", "keys: [URL]", "overlays: [dev]")
    assert needed_scope([only], overlays(), SHOP) == TokenScope(("dev",), ("URL",))
    by_overlay = app("web", "keys: [URL]", token="{dev: shop, eu: other, us: other}")
    assert needed_scope([by_overlay], overlays(), SHOP) == TokenScope(("dev",), ("URL",))


def test_the_keys_are_those_of_all_its_apps_and_of_nobody_else() -> None:
    apps = [
        app("one", "keys: [URL, {key: A.b, as: X}]"),
        app("two", "keys: [URL, PASSWORD]", "overlays: [eu]"),
        app("three", "keys: [NOT_MINE]", token="three"),
    ]
    assert needed_scope(apps, overlays(), SHOP) == TokenScope(("dev", "prod"), ("A.b", "PASSWORD", "URL"))


def test_a_bulk_read_needs_all_keys_and_still_one_environment() -> None:
    apps = [app("one", "all: true", "overlays: [us]"), app("two", "keys: [URL]", "overlays: [eu]")]
    assert needed_scope(apps, overlays(), SHOP) == TokenScope(("prod",), None)


def test_a_token_that_nobody_uses_has_no_need() -> None:
    assert needed_scope([app("one", "keys: [URL]", token="one")], overlays(), SHOP) is None


def test_the_command_names_all_of_it_and_an_end() -> None:
    scope = TokenScope(("dev",), ("A", "B"))
    start = "arcan token create --realm=production --name=shop --policy=read-only"
    assert creating(SHOP, scope, None) == f"{start} --env=dev --key=A --key=B --expires=180d"
    assert creating(SHOP, TokenScope(("dev",), None), "30d") == f"{start} --env=dev --expires=30d"


def test_the_places_are_the_secrets_that_the_stores_of_each_overlay_read() -> None:
    apps = [app("web", "keys: [URL]"), app("ci", "keys: [URL]", "overlays: [eu]", token="ci")]
    credentials, token = ObjectName("arcan-credentials"), KeyName("token")
    full = ObjectName("other.production.shop")
    assert token_places(apps, overlays(), SHOP) == (
        TokenPlace(Namespace("external-secrets"), full, KeyName("text"), ("us",)),
        TokenPlace(Namespace("web"), credentials, token, ("dev", "eu")),
    )
