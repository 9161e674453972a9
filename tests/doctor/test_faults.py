"""Each fault, alone in a cluster that is well otherwise: the check that names it, and nothing else does."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from arcan_gitops.access import mint
from arcan_gitops.doctor.checks import CHECKS
from arcan_gitops.doctor.dialling import Step
from arcan_gitops.doctor.findings import Severity
from tests.doctor.certificates import NOW, Party, leaf
from tests.doctor.scene import PLACE, ROOT, SERVER, TOKEN, Object, Scene, deployment, pem, ready, time

Spoil = Callable[[Scene], object]


@dataclass(frozen=True)
class Fault:
    """What is spoilt, the check that names it, in which words, and a part of its first command."""

    check: str
    name: str
    spoil: Spoil
    words: str
    fix: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.check}: {self.name}"


def all_of(*spoils: Spoil) -> Spoil:
    def both(scene: Scene) -> None:
        for spoil in spoils:
            spoil(scene)

    return both


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def fails(event: str = "", message: str = "could not get secret data from provider") -> Spoil:
    return lambda s: s.fails(message, event)


def with_token(text: str) -> Spoil:
    return lambda s: s.token["data"].update(token=encoded(text))


def record(**fields: object) -> Spoil:
    return lambda s: setattr(s, "record", replace(s.record, **fields))


def url(old: str, new: str) -> Spoil:
    def change(scene: Scene) -> None:
        assert old in scene.webhook["url"]
        scene.webhook["url"] = scene.webhook["url"].replace(old, new)

    return change


def entry(**ref: object) -> Spoil:
    return lambda s: s.external["spec"]["data"][0]["remoteRef"].update(ref)


def ca(text: str) -> Spoil:
    return lambda s: s.objects["ConfigMap", "shop", "arcan-ca"]["data"].update({"ca.crt": text})


def answered(status: int, code: str) -> Spoil:
    return lambda s: (setattr(s, "status", status), setattr(s, "code", code))


def status(**fields: object) -> Spoil:
    return lambda s: s.external["status"].update(fields)


def spec(**fields: object) -> Spoil:
    return lambda s: s.external["spec"].update(fields)


def to_cluster_store(**fields: object) -> Spoil:
    """The store is a ClusterSecretStore, with its token and CA in ESO's namespace."""

    def change(scene: Scene) -> None:
        store = scene.objects.pop(("SecretStore", "shop", "arcan"))
        store["kind"], store["metadata"] = "ClusterSecretStore", {"name": "arcan"}
        store["spec"] |= fields
        webhook = store["spec"]["provider"]["webhook"]
        webhook["secrets"][0]["secretRef"]["namespace"] = "external-secrets"
        webhook["caProvider"]["namespace"] = "external-secrets"
        scene.objects["ClusterSecretStore", "", "arcan"] = store
        scene.external["spec"]["secretStoreRef"]["kind"] = "ClusterSecretStore"
        for kind, name in (("Secret", "arcan-credentials"), ("ConfigMap", "arcan-ca")):
            found = scene.objects.pop((kind, "shop", name))
            found["metadata"]["namespace"] = "external-secrets"
            scene.objects[kind, "external-secrets", name] = found

    return change


def not_available(name: str, namespace: str, **fields: object) -> Spoil:
    return lambda s: s.objects.update(
        {("Deployment", namespace, name): deployment(name, namespace, 0, **fields)}
    )


def refused_by_openshift(name: str, namespace: str) -> Spoil:
    def change(scene: Scene) -> None:
        one = deployment(name, namespace, 0)
        why = "pods is forbidden: unable to validate against any security context constraint: runAsUser"
        one["status"] = {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": why}]}
        scene.objects["Deployment", namespace, name] = one

    return change


def privileged(scene: Scene) -> None:
    scene.groups["security.openshift.io"] = ["v1"]
    scene.put(
        "RoleBinding", "external-secrets", "scc", roleRef={"name": "system:openshift:scc:privileged"},
        subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": "external-secrets"}],
    )  # fmt: skip


def image_pull(scene: Scene) -> None:
    not_available("arcan", "arcan")(scene)
    waiting = {"image": "ghcr.io/x/arcan:1", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    pod = scene.put("Pod", "arcan", "arcan-1", spec={}, status={"containerStatuses": [waiting]})
    pod["metadata"]["labels"] = {"app.kubernetes.io/name": "arcan"}


def other_provider(name: str, section: Object, event: str, key: str = "prod/myapp") -> Spoil:
    def change(scene: Scene) -> None:
        scene.store["spec"]["provider"] = {name: section}
        scene.put_secret("shop", "login", {"token": "t", "clientId": "i", "clientSecret": "s"}, label=None)
        scene.external["spec"]["data"] = [
            {"secretKey": "K", "remoteRef": {"key": key, "property": "password"}}
        ]
        scene.fails("could not get secret data from provider", event)

    return change


def log_line(said: str, after: timedelta = timedelta(), reconcile: str = "1") -> str:
    """As ESO writes it when a refresh has failed."""
    line = {
        "level": "error", "ts": time(after), "msg": "Reconciler error", "controller": "externalsecret",
        "ExternalSecret": {"name": PLACE[1], "namespace": PLACE[0]}, "reconcileID": reconcile,
        "error": said, "stacktrace": "controller.go:429",
    }  # fmt: skip
    return f"I0101 not JSON\n{json.dumps(line)}\n"


LOGIN = {"name": "login", "key": "token"}
VAULT = {
    "server": "http://vault.vault.svc:8200",
    "path": "secret",
    "version": "v2",
    "auth": {"tokenSecretRef": LOGIN},
}
INFISICAL = {
    "hostAPI": "http://infisical.infisical.svc:8080",
    "auth": {
        "universalAuthCredentials": {
            "clientId": {"name": "login", "key": "clientId"},
            "clientSecret": {"name": "login", "key": "clientSecret"},
        }
    },
    "secretsScope": {"projectSlug": "homelab", "environmentSlug": "prod"},
}
AWS = {"service": "SecretsManager", "region": "eu-1", "role": "arn:aws:iam::1:role/x"}
OTHER_TOKEN = mint().text.reveal()
DAMAGED = TOKEN.text.reveal()[:-1] + ("a" if TOKEN.text.reveal()[-1] != "a" else "b")
LATER = timedelta(hours=3)

FAULTS = [
    Fault("eso-crds", "none", lambda s: s.groups.clear(), "CustomResourceDefinitions are not there", "helm repo add"),
    Fault("eso-crds", "an old ESO", lambda s: s.groups.update({"external-secrets.io": ["v1beta1"]}),
          "has v1beta1 and not v1", "helm repo add"),
    Fault("eso-crds", "one kind lacks", lambda s: s.kinds.remove("ClusterSecretStore"),
          'no kind "ClusterSecretStore"', "helm repo add"),
    Fault("eso-running", "crashing", lambda s: s.controller.update(status={}),
          "ESO's controller does not run", "kubectl describe pods -n external-secrets"),
    Fault("eso-running", "scaled to 0",
          lambda s: (s.controller.update(status={}), s.controller["spec"].update(replicas=0)),
          "it is scaled to 0", "kubectl scale deployment/external-secrets -n external-secrets --replicas=1"),
    Fault("eso-running", "never installed", all_of(
              lambda s: s.remove("Deployment", "external-secrets", "external-secrets"),
              lambda s: (s.external.pop("status"), s.store.pop("status")),
              lambda s: s.external["metadata"].update(creationTimestamp=time())),
          "no Deployment with the label", "helm repo add"),
    Fault("eso-namespace", "scoped to another", lambda s: s.controller["spec"]["template"]["spec"]["containers"][0]
          .update(args=["--namespace=other"]), "look at namespace other alone", "helm upgrade"),
    Fault("eso-rights", "may not write", lambda s: setattr(s, "allowed", lambda who, verb, ns: verb == "get" and "default" not in who),
          "may not create, update Secrets in namespace shop", "kubectl auth can-i --list -n shop --as=system:"),
    Fault("server-running", "down", not_available("arcan", "arcan"), "the server does not run",
          "kubectl describe pods -n arcan"),
    Fault("image-pull", "no login", image_pull, "no SCC changes that", "kubectl describe pod arcan-1 -n arcan"),
    Fault("openshift-uid", "the server", refused_by_openshift("arcan", "arcan"), "OpenShift refuses its pods",
          "arcan generate overlays   # components: [openshift]"),
    Fault("openshift-uid", "ESO", refused_by_openshift("external-secrets", "external-secrets"),
          "OpenShift refuses its pods", "adaptSecurityContext=auto"),
    Fault("openshift-privileged", "the advice was followed", privileged, "may be root on their node",
          "oc adm policy remove-scc-from-user privileged -z default -n external-secrets", Severity.WARNING),
    Fault("argocd", "out of sync", lambda s: s.put_application("shop", sync={"status": "OutOfSync"}, conditions=[
              {"type": "ComparisonError", "message": "kustomize build failed"}]),
          "is OutOfSync: kustomize build failed", "argocd.argoproj.io/refresh=hard"),
    Fault("argocd", "before the CRDs", lambda s: s.put_application("shop", sync={"status": "OutOfSync"}, operationState={
              "phase": "Failed", "message": 'no kind "ClusterSecretStore" is registered for version'}),
          "ESO's kinds were not there when it was applied", "kubectl annotate application shop -n argocd"),
    Fault("argocd", "degraded", lambda s: s.put_application("shop", sync={"status": "Synced"}, health={"status": "Degraded"}),
          "is synced, and Degraded", "kubectl annotate application", Severity.WARNING),
    Fault("known-names", "realm", url("production", "prodction"), "did you mean 'production'?", "arcan realm list"),
    Fault("known-names", "environment", url("env=prod", "env=prd"), "did you mean 'prod'?", "arcan realm list"),
    Fault("known-names", "key", entry(key="KE"), "asks for key 'KE'", "arcan secret list production --env prod"),
    Fault("version", "the manifest is behind", entry(version="000000000000"), "names another version of K than Git here",
          "arcan generate overlays", Severity.WARNING),
    Fault("applied", "it is not there", all_of(lambda s: s.remove("ExternalSecret", *PLACE), lambda s: s.declared.clear()),
          "no app declares it", "kubectl get externalsecrets -A"),
    Fault("applied", "it is declared alone", lambda s: s.remove("ExternalSecret", *PLACE),
          "what is generated was not applied", "kubectl apply --server-side -k kustomize/overlays/prod"),
    Fault("applied", "no namespace", all_of(lambda s: s.remove("ExternalSecret", *PLACE), lambda s: s.remove("Namespace", "", "shop")),
          "namespace shop is not there", "kubectl create namespace shop"),
    Fault("store-exists", "another name", lambda s: s.external["spec"]["secretStoreRef"].update(name="arcn"),
          "did you mean 'arcan'?", "kubectl get secretstores -n shop"),
    Fault("store-exists", "the other kind", lambda s: s.external["spec"]["secretStoreRef"].update(kind="ClusterSecretStore"),
          "the store of that name is a SecretStore", "kubectl get clustersecretstores,secretstores -A"),
    Fault("store-conditions", "another namespace", to_cluster_store(conditions=[{"namespaces": ["web"]}]),
          "do not let namespace shop in", "kubectl get clustersecretstore arcan"),
    Fault("store-conditions", "labels", to_cluster_store(conditions=[{"namespaceSelector": {"matchLabels": {"a": "b"}}}]),
          "do not let namespace shop in", "kubectl get clustersecretstore arcan"),
    Fault("store-class", "of another ESO", lambda s: s.store["spec"].update(controller="blue"),
          "for the controller class 'blue', and the ESO here is of class 'default'", "kubectl patch secretstore arcan -n shop"),
    Fault("store-ready", "ESO says no more", lambda s: s.store["status"].update(conditions=[
              ready("False", "InvalidProviderConfig", "unable to create client")]),
          "is not ready (InvalidProviderConfig)", "kubectl describe secretstore arcan -n shop"),
    Fault("store-ready", "never looked at", lambda s: s.store.pop("status"), "no condition Ready",
          "kubectl describe secretstore arcan -n shop", Severity.WARNING),
    Fault("manifests", "no entry", lambda s: s.external["spec"].update(data=[]), "cannot work", "| arcan lint manifests -"),
    Fault("manifests", "a token in clear", lambda s: s.webhook["headers"].update({"X-Token": "hunter2"}), "(ARC032)", "arcan lint manifests -"),
    Fault("token-secret", "not there", lambda s: s.remove("Secret", "shop", "arcan-credentials"), "is not there",
          "arcan bootstrap prod"),
    Fault("token-secret", "in another namespace", all_of(to_cluster_store(), lambda s: s.objects.update({
              ("Secret", "shop", "arcan-credentials"): s.objects.pop(("Secret", "external-secrets", "arcan-credentials"))})),
          "is not there", "arcan bootstrap prod"),
    Fault("token-key", "another key", lambda s: s.token["data"].update({"tok": s.token["data"].pop("token")}),
          "has no key token, which its store asks for; it has: tok", "kubectl describe secret arcan-credentials -n shop"),
    Fault("token-key", "empty", with_token(""), "its key token is empty", "kubectl describe secret"),
    Fault("token-key", "of an account that is not there", lambda s: s.token.update(
              data={}, type="kubernetes.io/service-account-token"), "Kubernetes has not put a token into it", "kubectl describe"),
    Fault("token-label", "none", lambda s: s.token["metadata"].pop("labels"), "lacks the label external-secrets.io/type=webhook",
          "kubectl label secret arcan-credentials -n shop external-secrets.io/type=webhook"),
    Fault("token-label", "another", lambda s: s.token["metadata"]["labels"].update({"external-secrets.io/type": "x"}),
          "lacks the label", "kubectl label secret arcan-credentials"),
    Fault("token-form", "a line break", all_of(with_token(TOKEN.text.reveal() + "\n"), lambda s: s.webhook["headers"].update(
              Authorization="Bearer {{ .auth.token }}")), "has a line break", "arcan bootstrap prod"),
    Fault("token-form", "a placeholder", with_token("arcan_REPLACE_ME"), "still holds a placeholder", "arcan bootstrap"),
    Fault("token-form", "no token", with_token("hunter2"), "is no token of Arcan", "arcan bootstrap"),
    Fault("token-form", "damaged", with_token(DAMAGED), "is damaged", "arcan bootstrap"),
    Fault("token-known", "unknown", with_token(OTHER_TOKEN), "is in no tokens.yaml", "arcan token list --realm production"),
    Fault("token-known", "another with its id", record(digest="sha256:" + "0" * 64), "it is another token", "arcan token list"),
    Fault("token-known", "ended", record(expires=NOW - timedelta(hours=1)), "ended on 2026-06-01 11:00 UTC",
          f"arcan token rotate {TOKEN.id} --realm production"),
    Fault("token-scope", "environment", record(environments=("staging",)), "may not read production/prod/K",
          "arcan token sync --widen shop"),
    Fault("token-scope", "key", record(keys=("A*",)), "may not read production/prod/K", "arcan token sync --widen shop"),
    Fault("ca-object", "not there", lambda s: s.remove("ConfigMap", "shop", "arcan-ca"), "is not there",
          "arcan ca fetch https://arcan.internal:9797 --output arcan-ca.crt"),
    Fault("ca-object", "another key", lambda s: s.objects["ConfigMap", "shop", "arcan-ca"].update(data={"ca": pem(ROOT)}),
          "has no key ca.crt", "arcan ca fetch"),
    Fault("ca-content", "no PEM", ca("nonsense"), "holds no certificate in PEM form", "arcan ca fetch"),
    Fault("ca-content", "a leaf", ca(pem(SERVER)), "a server's own certificate and no CA", "arcan ca fetch", Severity.WARNING),
    Fault("ca-unneeded", "a public chain", lambda s: setattr(s, "is_public", True), "needs no CA", "arcan generate overlays",
          Severity.NOTE),
    Fault("service", "not there", all_of(url("arcan.internal", "arcan.arcan.svc"),
              lambda s: setattr(s, "shown", (leaf(ROOT, hosts=("arcan.arcan.svc",)), ROOT))),
          "is not there", "kubectl get services -n arcan"),
    Fault("service", "another port", all_of(url("arcan.internal", "arcan.arcan.svc"),
              lambda s: s.put("Service", "arcan", "arcan", spec={"ports": [{"port": 443}]}),
              lambda s: setattr(s, "shown", (leaf(ROOT, hosts=("arcan.arcan.svc",)), ROOT))),
          "has the port 443", "kubectl get services -n arcan"),
    Fault("dns", "no such name", lambda s: setattr(s, "unreachable", Step.DNS), "does not resolve",
          "arcan doctor shop/shop-env --in-cluster"),
    Fault("tcp", "refused", lambda s: setattr(s, "unreachable", Step.TCP), "nothing answers there", "--in-cluster"),
    Fault("tls", "plain", lambda s: setattr(s, "unreachable", Step.TLS), "does not speak TLS", "--in-cluster"),
    Fault("tls-chain", "another CA", ca(pem(Party("other"))), "and the store trusts 'other'", "arcan ca fetch"),
    Fault("tls-chain", "another key", ca(pem(Party("Arcan CA"))), "by another key", "arcan ca fetch"),
    Fault("tls-chain", "another host", lambda s: setattr(s, "shown", (leaf(ROOT, hosts=("x",)), ROOT)),
          "is for x, and not for arcan.internal", "arcan bootstrap ca --host arcan.internal"),
    Fault("tls-chain", "ended", lambda s: setattr(s, "shown", (leaf(ROOT, days=(-9, -1)), ROOT)), "ended on", "kubectl rollout"),
    Fault("tls-chain", "no CA is named", lambda s: s.webhook.pop("caProvider"), "names no CA", "arcan ca fetch"),
    Fault("plain-http", "in clear", url("https://", "http://"), "over plain http", "url: https://...", Severity.WARNING),
    Fault("answer", "401", answered(401, "unauthorized"), "the token (401), which is in Git: it has not read", "kubectl rollout status"),
    Fault("answer", "403", answered(403, "forbidden"), "may not read this (403)", "arcan token sync --check"),
    Fault("answer", "404", answered(404, "key_not_found"), "no such key (404)", "arcan realm list"),
    Fault("answer", "400", answered(400, "unknown_environment"), "has not loaded this environment (400)", "arcan realm list"),
    Fault("answer", "the server is behind", answered(503, "version_not_loaded"), "the server is behind Git", "arcan generate"),
    Fault("answer", "audit", answered(503, "audit_unavailable"), "cannot write its audit log", "kubectl logs -n arcan"),
    Fault("answer", "something else", answered(500, ""), "the server answered 500", "kubectl logs -n arcan"),
    Fault("shape", "jsonPath", lambda s: s.webhook.update(result={"jsonPath": '$["val"]'}), "the answer has no such member",
          "kubectl describe externalsecret shop-env -n shop"),
    Fault("shape", "no JSON path at a list", lambda s: setattr(s, "body", {"data": {"K": "x"}}), "the answer has no 'value'",
          "kubectl describe externalsecret"),
    Fault("target-namespace", "it goes", lambda s: s.objects["Namespace", "", "shop"].update(status={"phase": "Terminating"}),
          "is being deleted", "kubectl get namespace shop"),
    Fault("target-secret", "somebody deleted it", lambda s: s.remove("Secret", "shop", "shop-env"),
          "somebody deleted it since the last refresh", "arcan sync shop --overlay prod --run"),
    Fault("target-secret", "nobody made it", all_of(lambda s: s.remove("Secret", "shop", "shop-env"),
              lambda s: s.external["spec"]["target"].update(creationPolicy="Merge")), "only adds to it",
          "kubectl create secret generic shop-env -n shop"),
    Fault("target-owner", "another's", lambda s: s.target["metadata"]["ownerReferences"][0].update(name="other"),
          "belongs to ExternalSecret other", "kubectl get externalsecret other shop-env -n shop"),
    Fault("target-owner", "immutable", all_of(lambda s: s.target.update(immutable=True), fails()), "is immutable",
          "kubectl delete secret shop-env -n shop"),
    Fault("target-keys", "a key lacks", lambda s: s.target.update(data={"X": "eA=="}), "has no key K", "arcan sync shop"),
    Fault("target-keys", "empty", lambda s: s.target.update(data={"K": ""}), "its key K is empty", "kubectl describe secret shop-env",
          Severity.WARNING),
    Fault("target-current", "another value", lambda s: s.target["metadata"].update(
              annotations={"reconcile.external-secrets.io/data-hash": "0" * 56}), "is not what the server has now",
          "arcan sync shop", Severity.WARNING),
    Fault("target-readers", "every pod", lambda s: setattr(s, "allowed", lambda who, verb, ns: True),
          "may read every Secret of the namespace", "kubectl get rolebindings,clusterrolebindings -n shop", Severity.WARNING),
    Fault("provider-credential", "not there", all_of(other_provider("vault", VAULT, ""), lambda s: s.remove("Secret", "shop", "login"),
              status(conditions=[ready()])), "is not there: SecretStore shop/arcan logs in with it", "arcan bootstrap"),
    Fault("provider-credential", "no such key", all_of(other_provider("infisical", INFISICAL, ""),
              lambda s: s.objects["Secret", "shop", "login"]["data"].pop("clientSecret"), status(conditions=[ready()])),
          "has nothing in its key clientSecret", "arcan bootstrap"),
    Fault("vault", "sealed", other_provider("vault", VAULT, "Vault is sealed"), "is sealed",
          "VAULT_ADDR=http://vault.vault.svc:8200 vault status"),
    Fault("vault", "its policy", other_provider("vault", VAULT, "Code: 403. Errors: * permission denied"), "its policy does not let",
          "vault status"),
    Fault("vault", "the path", other_provider("vault", VAULT, "cannot find secret data for key"), "nothing at this path", "vault status"),
    Fault("infisical", "401", other_provider("infisical", INFISICAL, "status 401 Unauthorized"), "does not take clientId",
          "terraform apply"),
    Fault("infisical", "403", other_provider("infisical", INFISICAL, "403 Forbidden"), "is not in project 'homelab'", "curl"),
    Fault("infisical", "404", other_provider("infisical", INFISICAL, "404 Project not found"), "has no project 'homelab'", "curl"),
    Fault("infisical", "the store", all_of(other_provider("infisical", INFISICAL, ""), status(conditions=[ready()]),
              lambda s: s.store["status"].update(conditions=[ready("False", "InvalidProviderConfig", "401 Unauthorized")])),
          "does not take clientId", "terraform apply"),
    Fault("aws", "denied", other_provider("aws", AWS, "AccessDeniedException: not authorized"), "AWS refuses: the role",
          "aws sts get-caller-identity"),
    Fault("aws", "absent", other_provider("aws", AWS, "ResourceNotFoundException"), "no secret of this name", "aws sts"),
    Fault("seen", "never", lambda s: s.external.pop("status"), "ESO has never looked at it", "kubectl get deployments -A"),
    Fault("seen", "not the newest", lambda s: s.external["metadata"].update(generation=2, managedFields=[
              {"time": time(-timedelta(minutes=20))}]), "has not looked at its last change", "kubectl get deployments -A"),
    Fault("overdue", "for hours", status(refreshTime=time(-LATER)), "its interval is 1h0m0s", "kubectl get deployments -A"),
    Fault("overdue", "on purpose", spec(refreshPolicy="CreatedOnce"), "is never refreshed", "arcan sync shop", Severity.NOTE),
    Fault("overdue", "no interval", spec(refreshInterval="0s"), "at no other time", "arcan sync shop", Severity.NOTE),
    Fault("waiting", "it is over", fails("failed to call endpoint: connection refused"), "ESO only waits",
          "arcan sync shop --overlay prod --run", Severity.WARNING),
    Fault("load", "every 10 s", spec(refreshInterval="10s"), "is refreshed every 10s", "kubectl patch externalsecret shop-env -n shop",
          Severity.WARNING),
    Fault("eso-log", "throttled", lambda s: setattr(s, "log", log_line("endpoint gave error 429 Too Many Requests")),
          "a provider limits how often", "kubectl logs -n external-secrets", Severity.WARNING),
    Fault("audit-log", "401", all_of(fails(), lambda s: setattr(s, "unreachable", Step.DNS), url("arcan.internal", "arcan.arcan.svc"),
              lambda s: s.put("Service", "arcan", "arcan", spec={"ports": [{"port": 9797}]}),
              lambda s: s.audit.update({("", "", TOKEN.id): {"status": 401, "code": "unauthorized", "reason": "expired",
                                        "claimed_token_id": TOKEN.id, "time": "2026-06-01T11:00:00Z"}})),
          f"401 unauthorized (expired) to {TOKEN.id}", "kubectl logs -n arcan"),
    Fault("events", "ESO's words", all_of(fails("endpoint gave error 503 Service Unavailable"), lambda s: s.denied.add("Secret")),
          "ESO says: endpoint gave error 503", "kubectl describe externalsecret shop-env -n shop"),
    Fault("events", "words that are not known", all_of(fails("a secret CANARY-like text"), lambda s: s.denied.add("Secret")),
          "ESO says SecretSyncedError: could not get secret data from provider", "kubectl describe"),
]  # fmt: skip

# findings that come with another, and are no less true
BESIDE: dict[str, set[str]] = {
    "tls-chain: no CA is named": {"manifests"},
    "plain-http: in clear": {"manifests"},
    "image-pull: no login": {"server-running"},
    "eso-running: never installed": {"store-ready"},
}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_named_by_its_check_and_no_other_cause_is(fault: Fault) -> None:
    scene = Scene()
    fault.spoil(scene)
    found = scene.found()
    assert fault.check in found, found
    this = found[fault.check]
    assert fault.words in f"{this.where} {this.what}"
    assert this.severity is fault.severity
    assert any(fault.fix in command for command in this.fix), this.fix
    assert found.keys() - {fault.check} <= BESIDE.get(str(fault), set()), found


def test_every_check_names_a_fault() -> None:
    assert {fault.check for fault in FAULTS} == {check.id for check in CHECKS}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_every_fix_is_a_command_of_a_shell(fault: Fault) -> None:
    scene = Scene()
    fault.spoil(scene)
    for found in scene.found().values():
        assert found.fix
        for command in found.fix:
            assert "\n" not in command
            assert shlex.split(command, comments=True)


@pytest.mark.parametrize(
    "line",
    [
        log_line("endpoint gave error 500", reconcile="0b2d-4429-429"),
        log_line("throttled", timedelta(minutes=-6)),  # a refresh went well since
        log_line("throttled").replace(PLACE[1], "another"),
    ],
)
def test_a_number_in_a_log_and_what_is_over_are_no_limits(line: str) -> None:
    scene = Scene()
    scene.log = line
    assert scene.found() == {}


@pytest.mark.parametrize("stamp", ['"2026-06-01T12:00:00Z"', "1780315200.25"])
def test_a_line_of_a_log_has_its_time_in_either_form(stamp: str) -> None:
    scene = Scene()
    scene.log = log_line("throttled").replace(f'"{time()}"', stamp)
    assert set(scene.found()) == {"eso-log"}
