"""What ESO's errors usually mean, in the order in which they are told apart.

ESO's condition message is the same for every failure; the cause is only in the Warning event, in the words
of Go's libraries. A new error is a new row. Source: measured with ESO itself.
"""

from __future__ import annotations

import re
from typing import Final

_CAUSES: Final[tuple[tuple[str, str], ...]] = (
    (
        r"secret does not contain needed label|secret type is not 'webhook'",
        "the token Secret needs the label: kubectl label secret NAME external-secrets.io/type=webhook",
    ),
    (
        r"no namespace on ClusterScoped webhook secret",
        "a ClusterSecretStore has no namespace of its own: set secrets[].secretRef.namespace",
    ),
    (
        r"missing namespace on caProvider",
        "a ClusterSecretStore has no namespace of its own: set caProvider.namespace",
    ),
    (
        r"failed to get clustersecretstore webhook secret",
        "the token Secret is not there; here, give the token by --token-stdin or ARCAN_TOKEN, or the "
        "Secret's manifest; for the cluster, 'arcan bootstrap' prints the commands that make it",
    ),
    (
        r"failed to get cert from",
        "the CA is not where caProvider says; here, give it by --ca-file, or the ConfigMap's manifest; in "
        "the cluster, kubectl create configmap arcan-ca --from-file=ca.crt",
    ),
    (
        r"failed to append cabundle|not valid pem data|failed to validate certificate",
        "the CA must be certificates in PEM form",
    ),
    (
        r"signed by unknown authority",
        "the server's certificate is not by the CA that the store trusts: take the server's tls/ca.crt",
    ),
    (r"certificate has expired", "renew the server's certificate, and check both clocks"),
    (
        r"x509: (certificate is not valid for|cannot validate certificate for)",
        "the server's certificate lacks this name: arcan serve --tls-host NAME",
    ),
    (
        r"server gave HTTP response to HTTPS client",
        "the port speaks plain HTTP: check the port in the store's url",
    ),
    (
        r"malformed HTTP response",
        "the store's url says http://, and the server speaks HTTPS only",
    ),
    (
        r"no such host",
        "the host in the store's url does not resolve from here; --connect-to HOST:PORT goes elsewhere",
    ),
    (
        r"dial tcp",
        "nothing answers there: check host and port in the store's url (without a port ESO dials 443), and "
        "that the server runs; --connect-to HOST:PORT goes elsewhere",
    ),
    (r"Client\.Timeout|no answer within", "the server took longer than the store's timeout"),
    (r"could not parse url", "the url's template may hold no '%' but for valid escapes such as %20"),
    (
        r"endpoint gave error 401",
        "the token is unknown, expired or revoked, or it is not the one that the store's header sends: "
        "arcan token list",
    ),
    (
        r"endpoint gave error 403",
        "the token is good, but its scope leaves out this realm, environment or key: arcan token list",
    ),
    (
        r"endpoint gave error 400",
        "the store's url is wrong, or names an environment that the server has not loaded",
    ),
    (r"endpoint gave error 405", "the server is read-only: the store must use GET"),
    (
        r"endpoint gave error 503",
        "the server is starting, draining, or has not loaded the version that the manifest names: see its "
        "/readyz and its audit log; if the realm changed, arcan generate overlays",
    ),
    (r"endpoint gave error 3", "the server redirected to nowhere: check the store's url"),
    (r"endpoint gave error", "the server failed: see its log"),
    (r"not modified", "something in between answered 304: no cache may stand before the server"),
    (
        r"Secret does not exist",
        "the server answered 404: the environment has no such key: arcan secret list REALM --env ENV",
    ),
    (
        r"unknown key value",
        "the answer has no 'value': data[] must use the single-key store, dataFrom the bulk store",
    ),
    (
        r"unknown key data|failed to parse response json from jsonpath|failed to get response \(wrong type",
        "the answer has no 'data' map: dataFrom must use the bulk store, data[] the single-key store",
    ),
    (r"unknown key ", 'the answer has no such member: result.jsonPath is $["value"], or $["data"] in bulk'),
    (r"parsing error:", 'write result.jsonPath with brackets and double quotes: $["value"]'),
    (r"failed to parse response json", "the server did not answer with JSON: check the store's url"),
    (
        r"invalid header field value",
        "the token has a line break: write Bearer {{ .auth.token | trim }} in the store",
    ),
    (
        r"invalid value; expected string",
        "the store's template asks for a secrets[] entry, or for a key of that Secret, that is not there",
    ),
    (r"not implemented", "the webhook provider has no find: use dataFrom.extract with the bulk store"),
    (r"is not ready", "the store is not ready, and ESO asks nothing of it: see the store above"),
    (r"denied by spec\.condition", "the ClusterSecretStore's conditions leave this namespace out"),
    (
        r"could not get (Cluster)?SecretStore",
        "no such store in this namespace; for a cluster-wide one write kind: ClusterSecretStore",
    ),
    (
        r"invalid secret keys|collision during conversion|valid config key",
        "these names cannot be keys of a Kubernetes Secret: rename them with dataFrom[].rewrite",
    ),
    (
        r"map has no entry for key",
        "target.template.data asks for a key that was not fetched; missing ones need data[] or extract",
    ),
    (
        r"owned by another ExternalSecret",
        "two ExternalSecrets write the same Secret: give one of them another target.name",
    ),
    (
        r"due to DeletionPolicy=Retain",
        "nothing was fetched, and ESO calls that synced: the environment has no keys for this token",
    ),
    (
        r"due to DeletionPolicy=Delete",
        "no key exists any more at the server; deletionPolicy: Retain would have kept the Secret",
    ),
    (
        r"due to CreationPolicy=Merge",
        "creationPolicy: Merge waits for somebody else to create the Secret; Owner creates it",
    ),
)


def likely_cause(text: str) -> str | None:
    """What a Warning event or a condition's message most likely means, and what to do; None if unknown."""
    return recognised(text)[1]


def recognised(text: str) -> tuple[str, str | None]:
    """The words that are known of an error's text, and its likely cause: the rest of it may hold anything."""
    for pattern, cause in _CAUSES:
        if (match := re.search(pattern, text)) is not None:
            return match[0], cause
    return "", None
