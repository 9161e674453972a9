"""eso/: what ESO does with it, and what is said of it before a cluster sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.eso import NetTransport, Outcome, read_cluster
from arcan_gitops.eso.simulation import simulate
from arcan_gitops.overlay import App, Settings, build_overlays
from arcan_gitops.yamlio import read_documents
from tests.cases import answer, case, for_endpoint
from tests.eso.endpoint import Answer, Asked, Endpoint, make_authority, serving
from tests.overlay.samples import SAMPLES

DECLARED = case("eso", "d00").read_text()


def refused(app: str = "", settings: str = DECLARED) -> list[str]:
    """What generation says of a declared app, or of arcan.yaml."""
    try:
        using = Settings.parse(settings.encode(), "arcan.yaml", pytest.fail)
        parsed = App.parse(app.encode(), f"apps/{app.splitlines()[0].removeprefix('name: ')}.yaml")
        build_overlays([parsed], using, SAMPLES)
    except SeveralErrors as error:
        return [problem.message for problem in error.problems]
    except ArcanError as error:
        return [error.message]
    return []


def test_d04_a_template_that_names_what_is_not_fetched_is_an_error() -> None:
    (problem,) = refused(case("eso", "d04").read_text())
    assert "uses .user, which is no key of Secret 't3'" in problem


def test_d05_templates_that_do_not_parse_are_all_named() -> None:
    found = refused(case("eso", "d05").read_text())
    assert len(found) == 3
    assert "bad character U+002D '-'" in found[0]
    assert "unclosed action" in found[1]
    assert 'function "nosuchfunc" not defined' in found[2]


def test_d06_a_property_that_the_store_does_not_use_is_an_error() -> None:
    found = refused(case("eso", "d06").read_text())
    assert len(found) == 2
    assert all("store 'bw-notes' never uses .remoteRef.property" in problem for problem in found)


def test_d07_a_broken_header_and_json_path_are_errors() -> None:
    text = case("eso", "d07").read_text()
    assert "the template 'headers.X-T' does not parse" in refused(settings=text)[0]
    mended = text.replace("{{ .auth.username '", "{{ .auth.username }}'")
    assert "jsonPath does not parse" in refused(settings=mended)[0]


@pytest.fixture
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with serving(make_authority(tmp_path_factory.mktemp("authority"))) as endpoint:
        endpoint.says(answer)
        yield endpoint


def outcomes(start: str, endpoint: Endpoint) -> list[Outcome]:
    """What ESO makes of each ExternalSecret of a case, over TLS."""
    text = for_endpoint(case("eso", start), endpoint)
    documents = [(start, document) for document in read_documents(text.encode(), start)]
    found = simulate(read_cluster(documents), NetTransport()).outcomes
    made = [outcome for _, outcome in found]
    assert all(isinstance(outcome, Outcome) for outcome in made), made
    return [outcome for outcome in made if isinstance(outcome, Outcome)]


def data(outcome: Outcome) -> dict[str, bytes]:
    assert outcome.synced, outcome.error
    assert outcome.secret is not None
    return dict(outcome.secret.data)


@pytest.mark.parametrize(
    ("start", "made"),
    [
        (
            "a05",
            {
                "tls.crt": b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n",
                "tls.key": b"KEY\n",
            },
        ),
        ("a06", {"v": b"v-api"}),
        ("a07", {"v": b"pp", "k": b"v"}),
    ],
)
def test_what_is_common_is_synced(start: str, made: dict[str, bytes], endpoint: Endpoint) -> None:
    (outcome,) = outcomes(start, endpoint)
    assert data(outcome) == made


def test_a09_print_makes_a_basic_login(endpoint: Endpoint) -> None:
    seen: list[Asked] = []

    def echo(asked: Asked) -> Answer:
        seen.append(asked)
        return Answer(200, b'{"auth": "yes"}')

    endpoint.says(echo)
    (outcome,) = outcomes("a09", endpoint)
    assert data(outcome) == {"v": b"yes"}
    assert seen[0].headers["Authorization"] == "Basic c3ZjOnA6dyBk"


def test_k03_two_merges_keep_each_its_own_keys(endpoint: Endpoint) -> None:
    last = outcomes("k03", endpoint)[-1]
    assert data(last) == {"orig": b"o", "t1": b"42", "t2": b"org.gradle=1"}


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        ("f01", 'function "b64encode" not defined'),
        ("l01", 'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": '),
        ("l02", "[data[username]: Required value, data[password]: Required value]"),
        ("l03", "metadata.labels: Invalid value: "),
        ("l08", "data[ssh-privatekey]: Required value"),
    ],
)
def test_what_eso_or_the_api_server_refuses_is_not_synced(
    start: str, problem: str, endpoint: Endpoint
) -> None:
    (outcome,) = outcomes(start, endpoint)
    assert outcome.condition.reason == "SecretSyncedError"
    assert problem in outcome.error
    assert "org.gradle" not in outcome.error


@pytest.mark.parametrize("start", ["l05", "l07"])
def test_a_privileged_template_is_refused(start: str, endpoint: Endpoint) -> None:
    with pytest.raises(SeveralErrors) as error:
        outcomes(start, endpoint)
    assert "is refused by ESO since 2.9: template.type=" in error.value.problems[0].message


def test_e13_a_property_that_makes_no_difference_is_noted(endpoint: Endpoint) -> None:
    (outcome,) = outcomes("e13", endpoint)
    assert len(set(data(outcome).values())) == 1
    assert any("never uses .remoteRef.property" in note for note in outcome.notes)
