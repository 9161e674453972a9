"""What is wrong between the declared apps and the realms: all of it at once, each with file and line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName
from arcan_gitops.overlay import App, Catalogue, Settings, TokenScope, build_overlays
from arcan_gitops.overlay.ca import PublicCa
from tests.overlay.samples import PROD, PRODUCTION, SAMPLES, STAGING, contents

SHOP = """\
name: shop
realm: production
namespace: shop
token: shop
overlays: [prod, staging]
secrets:
  - name: shop-env
    keys: [DATABASE_URL]
"""


def app(text: str = SHOP, name: str = "shop") -> App:
    return App.parse(text.encode(), f"apps/{name}.yaml")


def settings(text: str = "refreshInterval: 1h\n") -> Settings:
    return Settings.parse(text.encode(), "arcan.yaml", pytest.fail)


def problems(*apps: App, using: Settings | None = None, catalogue: Catalogue = SAMPLES) -> list[ArcanError]:
    with pytest.raises(SeveralErrors) as error:
        build_overlays(apps, using or settings(), catalogue)
    return list(error.value.problems)


def the_problem(*apps: App, using: Settings | None = None, catalogue: Catalogue = SAMPLES) -> tuple[str, str]:
    (problem,) = problems(*apps, using=using, catalogue=catalogue)
    return problem.message, problem.hint or ""


def changed(old: str, new: str) -> App:
    assert old in SHOP
    return app(SHOP.replace(old, new, 1))


def narrowed(environments: tuple[str, ...] | None = None, keys: tuple[str, ...] | None = None) -> Catalogue:
    return Catalogue(SAMPLES.contents, {PRODUCTION: {"shop": TokenScope(environments, keys)}})


def test_an_unknown_realm_is_named_with_the_nearest():
    message, hint = the_problem(changed("realm: production", "realm: prodution"))
    assert message == "apps/shop.yaml:2: there is no realm 'prodution'"
    assert hint == "did you mean 'production'?"


def test_an_unknown_overlay_is_named_with_the_nearest():
    message, hint = the_problem(changed("[prod, staging]", "[prod, stagin]"))
    assert message == "apps/shop.yaml:5: there is no overlay 'stagin'"
    assert hint == "did you mean 'staging'?"


def test_an_unknown_overlay_in_the_namespaces_is_named():
    message, hint = the_problem(
        changed("namespace: shop", "namespace: {prod: shop, staging: shop, stagging: x}")
    )
    assert message == "apps/shop.yaml:3: there is no overlay 'stagging'"
    assert hint == "did you mean 'staging'?"


def test_an_overlay_without_a_namespace_is_named():
    message, _ = the_problem(changed("namespace: shop", "namespace: {prod: shop}"))
    assert message == "apps/shop.yaml:3: no namespace is given for overlay 'staging'"


def test_an_overlay_of_an_environment_that_no_realm_has_is_named_once():
    using = settings("overlays:\n  prod: {environment: prd}\n  staging: {environment: staging}\n")
    message, hint = the_problem(app(), using=using)
    assert message == "arcan.yaml:2: overlay 'prod': no realm has an environment 'prd'"
    assert hint == "did you mean 'prod'?"


def test_an_environment_that_only_other_realms_have_says_which_overlays_to_name():
    only_prod = Catalogue(
        {place: held for place, held in SAMPLES.contents.items() if place != (PRODUCTION, STAGING)},
        SAMPLES.tokens,
    )
    message, hint = the_problem(app(), catalogue=only_prod)
    assert message == "apps/shop.yaml:2: realm 'production' has no environment 'staging' (overlay 'staging')"
    assert "'overlays: [...]'" in hint
    assert hint.endswith("prod")


def test_a_key_that_does_not_exist_is_named_with_file_environment_and_the_nearest():
    text = SHOP.replace("keys: [DATABASE_URL]", "keys:\n      - REDIS_URL\n      - DATABSE_URL")
    first, second = problems(app(text))
    message = "apps/shop.yaml:10: key 'DATABSE_URL' does not exist in production/{}"
    assert [first.message, second.message] == [message.format("prod"), message.format("staging")]
    assert first.hint == "did you mean 'DATABASE_URL'?"


def test_a_key_that_one_environment_lacks_is_a_problem_of_that_one_only():
    held = {**SAMPLES.contents, (PRODUCTION, STAGING): contents("REDIS_URL")}
    message, hint = the_problem(app(), catalogue=Catalogue(held, SAMPLES.tokens))
    assert "does not exist in production/staging" in message
    assert hint == "known: REDIS_URL"


def test_a_bulk_read_without_a_version_is_refused_where_the_realm_records_what_is_removed():
    text = SHOP.replace("keys: [DATABASE_URL]", "all: true").replace(
        "overlays:", "consistency: latest\noverlays:"
    )
    wide = Catalogue(SAMPLES.contents, {PRODUCTION: {"shop": TokenScope()}})
    build_overlays([app(text)], settings(), wide)
    recorded = replace(wide, recorded=frozenset({PRODUCTION}))
    found = problems(app(text), catalogue=recorded)
    assert "secret 'shop-env' asks for all keys and names no version" in found[0].message
    assert "leave 'consistency' out" in (found[0].hint or "")
    build_overlays([app(text.replace("consistency: latest\n", ""))], settings(), recorded)


def test_two_overlays_of_one_environment_do_not_say_the_same_twice():
    using = settings("overlays: {a: {environment: prod}, b: {environment: prod}}\n")
    text = SHOP.replace("DATABASE_URL", "NOPE").replace("[prod, staging]", "[a, b]")
    assert len(problems(app(text), using=using)) == 1


def test_an_unknown_token_is_named_with_the_nearest():
    message, hint = the_problem(changed("token: shop", "token: shp"))
    assert message == "apps/shop.yaml:4: realm 'production' has no token named 'shp'"
    assert hint == "did you mean 'shop'?"


def test_a_token_that_is_near_to_none_comes_with_the_command_that_creates_it():
    _, hint = the_problem(changed("token: shop", "token: reporting"))
    assert hint == (
        "with its Secret in the cluster: arcan bootstrap prod; "
        "or create it: arcan token create --realm=production --name=reporting --policy=read-only"
        " --env=prod --env=staging --key=DATABASE_URL --expires=180d"
    )


def test_each_overlay_may_have_a_token_of_its_own():
    """So that a cluster of staging holds no token that opens production."""
    tokens = {PRODUCTION: {"live": TokenScope(("prod",)), "test": TokenScope(("staging",))}}
    catalogue = replace(SAMPLES, tokens=tokens)
    both = changed("token: shop", "token: {prod: live, staging: test}")
    tree = build_overlays([both], settings("stores: {fullNames: true}\n"), catalogue)
    assert "name: arcan.production.live" in tree["prod/shop/apps/shop.yaml"]
    assert "name: arcan.production.test" in tree["staging/shop/apps/shop.yaml"]
    assert "live" not in tree["staging/shop/stores.yaml"]
    swapped = changed("token: shop", "token: {prod: test, staging: live}")
    messages = [problem.message for problem in problems(swapped, catalogue=catalogue)]
    assert messages == [
        "apps/shop.yaml:4: token 'test' may not read environment 'prod' of realm 'production'",
        "apps/shop.yaml:4: token 'live' may not read environment 'staging' of realm 'production'",
    ]


def test_an_overlay_without_a_token_is_named():
    message, hint = the_problem(changed("token: shop", "token: {prod: shop}"))
    assert message == "apps/shop.yaml:4: no token is given for overlay 'staging'"
    assert hint == "add 'staging: TOKEN', or leave the overlay out of 'overlays'"


def test_a_key_that_the_token_may_not_read_is_named_with_what_it_may():
    message, hint = the_problem(app(), catalogue=narrowed(keys=("SMTP_*", "GREETING")))
    assert message.startswith("apps/shop.yaml:8: key 'DATABASE_URL' cannot be read by token 'shop'")
    assert "SMTP_*, GREETING" in hint


def test_the_globs_of_a_token_are_case_sensitive():
    message, _ = the_problem(app(), catalogue=narrowed(keys=("database_*",)))
    assert "cannot be read" in message


def test_an_environment_that_the_token_may_not_read_is_named():
    message, hint = the_problem(app(), catalogue=narrowed(environments=("prod*",)))
    assert (
        message == "apps/shop.yaml:4: token 'shop' may not read environment 'staging' of realm 'production'"
    )
    assert "prod*" in hint


def test_all_keys_need_a_token_that_is_not_narrowed_by_keys():
    one_read = "all: true\n    rewrite: [{source: a, target: b}]"
    everything = changed("keys: [DATABASE_URL]", one_read)
    message, _ = the_problem(everything, catalogue=narrowed(keys=("[A-Z]*",)))
    assert message.startswith("apps/shop.yaml:7: secret 'shop-env' asks for all keys")
    assert build_overlays([everything], settings(), narrowed(keys=("*",)))


def test_an_entry_for_each_key_needs_a_token_that_reads_each():
    everything = changed("keys: [DATABASE_URL]", "all: true")
    assert build_overlays([everything], settings(), narrowed(keys=("[A-Z]*",)))
    message, hint = the_problem(everything, catalogue=narrowed(keys=("[A-F]*", "G*")))
    assert message.startswith(
        "apps/shop.yaml:7: secret 'shop-env' asks for all keys, and token 'shop' cannot read JWT_SIGNING_KEY, "
    )
    assert "REDIS_URL" in message
    assert "--key='*'" in hint


def test_a_secret_that_two_apps_declare_in_one_namespace_is_named_with_both():
    other = SHOP.replace("name: shop\n", "name: other\n")
    message, _ = the_problem(app(), app(other, "other"))
    assert message == (
        "apps/shop.yaml:7: Secret 'shop-env' of namespace 'shop' is taken: declared at apps/other.yaml:7"
    )


def test_two_external_secrets_of_one_name_in_one_namespace_are_named_too():
    other = SHOP.replace("name: shop\n", "name: other\n").replace(
        "name: shop-env", "name: other-env\n    externalSecret: shop-env"
    )
    message, hint = the_problem(app(), app(other, "other"))
    assert message == (
        "apps/shop.yaml:7: there are two ExternalSecrets 'shop-env': the other is of apps/other.yaml:7"
    )
    assert "externalSecret" in hint


def test_one_name_in_two_namespaces_is_no_collision():
    other = SHOP.replace("name: shop\n", "name: other\n").replace("namespace: shop", "namespace: other")
    assert build_overlays([app(), app(other, "other")], settings(), SAMPLES)


def test_a_secret_may_not_take_the_place_of_the_token():
    message, _ = the_problem(changed("name: shop-env", "name: arcan-credentials"))
    assert "is taken: it holds the store's own token" in message


def test_a_cluster_wide_token_is_elsewhere():
    using = settings("stores: {scope: cluster}\n")
    assert build_overlays([changed("name: shop-env", "name: arcan-credentials")], using, SAMPLES)
    inside = app(
        SHOP.replace("name: shop-env", "name: arcan-credentials").replace(
            "namespace: shop", "namespace: external-secrets"
        )
    )
    assert "own token" in the_problem(inside, using=using)[0]


def test_different_tokens_whose_names_kubernetes_cannot_hold_are_named():
    catalogue = Catalogue(SAMPLES.contents, {PRODUCTION: {"shop": TokenScope(), "ESO_op": TokenScope()}})
    other = SHOP.replace("name: shop\n", "name: other\n").replace("token: shop", "token: ESO_op")
    other = other.replace("shop-env", "other-env")
    message, hint = the_problem(app(), app(other, "other"), catalogue=catalogue)
    assert "the names of the stores of 'other', 'shop' end in those of their tokens" in message
    assert "lower case" in hint
    assert build_overlays([app(other, "other")], settings(), catalogue)


def test_a_declared_store_may_not_take_the_name_of_an_arcan_store():
    """Two tokens meet, so that the names of Arcan's stores end in theirs."""
    catalogue = replace(SAMPLES, tokens={PRODUCTION: {"shop": TokenScope(), "web": TokenScope()}})
    shop = SHOP.replace("[prod, staging]", "[prod]")
    web = (
        shop.replace("name: shop\n", "name: web\n")
        .replace("shop-env", "web")
        .replace("token: shop", "token: web")
    )
    store = (
        "secrets: [{name: other, keys: [{key: a, as: A}]}]\nnamespace: shop\nstore: arcan.production.web\n"
    )
    using = settings(
        "stores:\n  webhook:\n    arcan.production.web: {url: 'https://a.example.com/{{ .remoteRef.key }}'}\n"
        "overlays: {prod: {environment: prod}}\n"
    )
    apps = (app(shop), app(web, "web"), app(f"name: other\n{store}", "other"))
    message, hint = the_problem(*apps, using=using, catalogue=catalogue)
    assert message == "arcan.yaml:3: overlay 'prod' has an Arcan store of the name 'arcan.production.web' too"
    assert hint.startswith("rename one")


def test_all_problems_are_told_at_once():
    first = changed("[DATABASE_URL]", "[NOPE, NEITHER]")
    second = app(
        SHOP.replace("name: shop\n", "name: other\n").replace("realm: production", "realm: x"), "other"
    )
    assert len(problems(first, second)) == 6  # two keys in two environments, the realm, the Secret's name


def test_of_very_many_problems_the_first_hundred_are_told():
    """One cause, such as a realm of another name, can be behind thousands of them."""
    text = SHOP.replace("DATABASE_URL", ", ".join(f"GONE_{number}" for number in range(300)))
    with pytest.raises(SeveralErrors) as error:
        build_overlays([app(text)], settings(), SAMPLES)
    assert len(error.value.problems) == 100
    assert error.value.hint == "these are the first 100"


def test_an_overlay_that_no_app_goes_to_has_no_files():
    tree = build_overlays([changed("[prod, staging]", "[prod]")], settings(), SAMPLES)
    assert {path.partition("/")[0] for path in tree} == {"prod"}


def test_a_catalogue_knows_realms_by_their_environments():
    catalogue = Catalogue({(PRODUCTION, EnvironmentName("qa")): contents()})
    assert catalogue.realms() == (PRODUCTION,)
    assert catalogue.environments(PRODUCTION) == ("qa",)
    assert PROD not in catalogue.environments()
    assert PublicCa().store_fields(None) == {}
