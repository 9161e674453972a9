"""A cluster and a repository in memory, both in order; a test spoils one thing and asks what the doctor says."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from arcan_gitops.access import TokenRecord, mint
from arcan_gitops.bootstrap.kubectl import Answer
from arcan_gitops.doctor.check import examine
from arcan_gitops.doctor.checks import CHECKS
from arcan_gitops.doctor.collecting import collect
from arcan_gitops.doctor.dialling import Reached, Step
from arcan_gitops.doctor.facts import Facts, Repository, Unread
from arcan_gitops.doctor.findings import Found, Place, Report
from arcan_gitops.doctor.probing import tried
from arcan_gitops.doctor.reader import Reader
from arcan_gitops.eso import CallFailed, Client, Request, Response
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.overlay import Catalogue, Contents
from tests.doctor.certificates import HOST, NOW, Party, leaf
from tests.support.realm_files import CANARY

Object = dict[str, Any]
VERSION, ALL = "3f2a9c01b7de", "aaaaaaaaaaaa"
URL = f"https://{HOST}:9797/api/v1/eso/production/{{{{ .remoteRef.key }}}}?env=prod&version={{{{ .remoteRef.version }}}}"
PLACE = ("shop", "shop-env")
TOKEN = mint()
ROOT = Party("Arcan CA")
SERVER = leaf(ROOT)
PLURALS = {
    "externalsecrets": "ExternalSecret", "secretstores": "SecretStore", "clustersecretstores": "ClusterSecretStore",
    "secrets": "Secret", "configmaps": "ConfigMap", "namespaces": "Namespace", "events": "Event",
    "deployments": "Deployment", "pods": "Pod", "applications": "Application", "services": "Service",
    "rolebindings": "RoleBinding",
}  # fmt: skip


def time(delta: timedelta = timedelta()) -> str:
    return (NOW + delta).strftime("%Y-%m-%dT%H:%M:%SZ")


def pem(party: Party) -> str:
    return party.certificate.public_bytes(Encoding.PEM).decode()


def deployment(name: str, namespace: str, available: int = 1, **spec: Any) -> Object:
    labels = {"app.kubernetes.io/name": name}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": labels},
            "template": {"spec": {
                "serviceAccountName": name,
                "containers": [{"name": name, "image": f"ghcr.io/x/{name}:1", "args": ["--concurrent=1"]}],
            }}, **spec,
        },
        "status": {"availableReplicas": available} if available else {},
    }  # fmt: skip


def ready(status: str = "True", reason: str = "SecretSynced", message: str = "secret synced") -> Object:
    return {"type": "Ready", "status": status, "reason": reason, "message": message}


class Scene:
    """`objects` are by (kind, namespace, name). `body` is the server's answer, `status` its status."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.denied: set[str] = set()  # kinds, `impersonate`, `reviews`, `logs`
        self.broken = ""  # what kubectl says instead of objects by name
        self.refused: set[tuple[str, str, str]] = set()  # single objects
        self.groups = {"external-secrets.io": ["v1"]}
        self.kinds = ["ExternalSecret", "SecretStore", "ClusterSecretStore"]
        self.allowed: Callable[[str, str, str], bool] = lambda who, verb, namespace: "default" not in who
        self.log = ""
        self.status, self.code = 200, ""
        self.body: Mapping[str, Any] = {"value": CANARY}
        self.unreachable: Step | None = None
        self.shown: Sequence[Party] = (SERVER, ROOT)
        self.is_public = False
        self.audit: dict[tuple[str, str, str], Object] = {}
        self.now = NOW
        self.calls: list[list[str]] = []
        self.given: list[tuple[list[str], list[Object]]] = []  # commands with standard input
        self.record = TokenRecord(
            TOKEN.id, "shop", "read-only", None, None, NOW - timedelta(days=1), None, TOKEN.digest
        )
        self.keys = {"K": VERSION}
        self.repository: Repository | Unread | None = None
        self.declared: dict[Place, str] = {PLACE: "shop"}
        self._fill()

    def _fill(self) -> None:
        secret = {"name": "arcan-credentials", "key": "token"}
        webhook = {
            "url": URL, "timeout": "5s", "result": {"jsonPath": '$["value"]'},
            "headers": {"Authorization": "Bearer {{ .auth.token | trim }}"},
            "secrets": [{"name": "auth", "secretRef": secret}],
            "caProvider": {"type": "ConfigMap", "name": "arcan-ca", "key": "ca.crt"},
        }  # fmt: skip
        self.put("Namespace", "", "shop", status={"phase": "Active"})
        self.put("Namespace", "", "external-secrets", status={"phase": "Active"})
        self.store = self.put(
            "SecretStore", "shop", "arcan", spec={"provider": {"webhook": webhook}},
            status={"conditions": [ready(reason="Valid", message="store validated")]},
        )  # fmt: skip
        self.put(
            "ExternalSecret", "shop", "shop-env",
            spec={
                "refreshInterval": "1h0m0s", "refreshPolicy": "Periodic",
                "secretStoreRef": {"name": "arcan", "kind": "SecretStore"},
                "target": {"name": "shop-env", "creationPolicy": "Owner"},
                "data": [{"secretKey": "K", "remoteRef": {"key": "K", "version": VERSION}}],
            },
            status={
                "conditions": [ready()], "refreshTime": time(-timedelta(minutes=5)),
                "syncedResourceVersion": "1-abc",
            },
        )  # fmt: skip
        self.external["metadata"] |= {"generation": 1, "creationTimestamp": time(-timedelta(days=1))}
        self.put_secret("shop", "arcan-credentials", {"token": TOKEN.text.reveal()})
        self.put("ConfigMap", "shop", "arcan-ca", data={"ca.crt": pem(ROOT)})
        self.put_secret("shop", "shop-env", {"K": CANARY}, label=None)
        self.target["metadata"]["ownerReferences"] = [
            {"kind": "ExternalSecret", "name": "shop-env", "controller": True}
        ]
        eso = deployment("external-secrets", "external-secrets")
        self.objects["Deployment", "external-secrets", "external-secrets"] = eso

    def put(self, kind: str, namespace: str, name: str, **fields: Any) -> Object:
        version = {"ExternalSecret": "external-secrets.io/v1", "SecretStore": "external-secrets.io/v1"}
        made = {
            "apiVersion": version.get(kind, "external-secrets.io/v1" if "Store" in kind else "v1"),
            "kind": kind,
            "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
            **fields,
        }
        self.objects[kind, namespace, name] = made
        return made

    def put_secret(
        self, namespace: str, name: str, data: Mapping[str, str], label: str | None = "webhook"
    ) -> Object:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        made = self.put("Secret", namespace, name, data=encoded, type="Opaque")
        if label is not None:
            made["metadata"]["labels"] = {"external-secrets.io/type": label}
        return made

    def put_application(self, name: str, **status: Any) -> Object:
        self.groups["argoproj.io"] = ["v1alpha1"]
        return self.put(
            "Application", "argocd", name, spec={"destination": {"namespace": "shop"}}, status=status
        )

    @property
    def external(self) -> Object:
        return self.objects["ExternalSecret", *PLACE]

    @property
    def webhook(self) -> Object:
        found: Object = self.store["spec"]["provider"].get("webhook", {})
        return found

    @property
    def token(self) -> Object:
        return self.objects["Secret", "shop", "arcan-credentials"]

    @property
    def target(self) -> Object:
        return self.objects["Secret", "shop", "shop-env"]

    @property
    def controller(self) -> Object:
        return self.objects["Deployment", "external-secrets", "external-secrets"]

    def remove(self, kind: str, namespace: str, name: str) -> None:
        del self.objects[kind, namespace, name]

    def fails(self, message: str, event: str = "") -> None:
        """ESO says that the last refresh failed, with an event."""
        self.external["status"]["conditions"] = [ready("False", "SecretSyncedError", message)]
        if event:
            self.put(
                "Event", "shop", "e1", type="Warning", message=event, lastTimestamp=time(),
                involvedObject={"kind": "ExternalSecret", "name": "shop-env", "namespace": "shop"},
            )  # fmt: skip

    def facts(self, wanted: Place | None = PLACE, *, network: bool = True) -> Facts:
        facts = collect(
            Reader(self),
            self.now,
            wanted=wanted,
            repository=self.repository or self._repository(),
            context="",
        )
        facts = replace(facts, audit=self.audit)
        if not network:
            return facts
        step = self.unreachable or Step.DONE
        shown = tuple(party.certificate for party in self.shown) if step is Step.DONE else ()
        problem = "" if step is Step.DONE else "out of order"
        host = self.webhook.get("url", f"https://{HOST}:").partition("//")[2].partition(":")[0]
        reached = Reached(host, 9797, step, problem, (), shown, self.is_public)
        reads = {external.place: tried(external, facts, self) for external in facts.externals}
        return replace(facts, reached={(host, 9797): reached}, reads=reads)

    def _repository(self) -> Repository:
        realm, environment = RealmName("production"), EnvironmentName("prod")
        keys = {KeyName(key): version for key, version in self.keys.items()}
        catalogue = Catalogue({(realm, environment): Contents(keys, ALL)})
        return Repository(catalogue, {realm: (self.record,)}, self.declared, "prod")

    def report(self, wanted: Place | None = PLACE, *, network: bool = True) -> Report:
        report = examine(self.facts(wanted, network=network), CHECKS)
        for finding in report.findings:
            shown = str(finding)
            assert CANARY not in shown
            assert TOKEN.text.reveal() not in shown
        return report

    def found(self, wanted: Place | None = PLACE, *, network: bool = True) -> dict[str, Found]:
        """What was found, by check; each check finds one thing at the most."""
        findings = self.report(wanted, network=network).findings
        assert len({finding.check for finding in findings}) == len(findings), findings
        return {finding.check: finding.found for finding in findings}

    # what a transport does

    def dial(self, host: str, port: int, timeout: float) -> None:
        raise AssertionError("a refresh does not dial")

    def client(self, ca_certificates: str | None, timeout: float | None) -> Client:
        return self

    def send(self, request: Request) -> Response:
        if self.unreachable is not None:
            raise CallFailed("dial tcp 127.0.0.1:9797: connect: connection refused")
        body = self.body if self.status == 200 else {"error": {"code": self.code, "message": CANARY}}
        return Response(self.status, f"{self.status} Said", json.dumps(body).encode())

    def close(self) -> None:
        pass

    # what kubectl does

    def answer(self, arguments: Sequence[str], data: bytes = b"") -> Answer:
        self.calls.append(list(arguments))
        if data:
            self.given.append((list(arguments), json.loads(data)["items"]))
        match list(arguments):
            case ["create", "-f", "-", "-o", "json"]:
                return self._review(json.loads(data)["items"])
            case ["get", "-f", "-", "--ignore-not-found", "-o", form]:
                return self._get_all(json.loads(data)["items"], form)
            case ["get", "--raw", "/apis"]:
                groups = [
                    {"name": name, "versions": [{"version": one} for one in versions]}
                    for name, versions in self.groups.items()
                ]
                return _json({"groups": groups})
            case ["get", "--raw", _]:
                return _json({"resources": [{"kind": kind} for kind in self.kinds]})
            case ["get", kind, *rest]:
                return self._get(PLURALS[kind.partition(".")[0]], rest)
            case ["auth", "can-i", verb, "secrets", *where, who]:
                namespace = where[1] if where[0] == "-n" else ""
                if "impersonate" in self.denied:
                    return Answer(1, b"", "Error from server (Forbidden): users is forbidden")
                return Answer(0, b"yes\n" if self.allowed(who, verb, namespace) else b"no\n", "")
            case ["logs", *_]:
                if "logs" in self.denied:
                    return Answer(1, b"", "Error from server (Forbidden)")
                return Answer(0, self.log.encode(), "")
        raise AssertionError(arguments)

    def _review(self, reviews: Sequence[Object]) -> Answer:
        """As kubectl prints several: one after the other."""
        if "reviews" in self.denied:
            return Answer(1, b"", "Error from server (Forbidden): localsubjectaccessreviews is forbidden")
        text = ""
        for review in reviews:
            who, asked = review["spec"]["user"], review["spec"]["resourceAttributes"]
            local = "Local" if asked["namespace"] else ""  # "": of all namespaces
            assert review["kind"] == f"{local}SubjectAccessReview"
            allowed = self.allowed(who, asked["verb"], asked["namespace"])
            text += json.dumps({**review, "status": {"allowed": allowed}}, indent=4) + "\n"
        return Answer(0, text.encode(), "")

    def _get_all(self, wanted: Sequence[Object], form: str) -> Answer:
        """Objects by their names; the refused ones are in the errors, and the others are printed."""
        if self.broken:
            return Answer(1, b"", self.broken)
        found, error = [], ""
        for one in wanted:
            kind, name = one["kind"], one["metadata"]["name"]
            namespace = one["metadata"].get("namespace", "")
            if kind in self.denied or (kind, namespace, name) in self.refused:
                error += (
                    f'Error from server (Forbidden): {kind.lower()}s "{name}" is forbidden: User "{CANARY}"'
                )
                error += f' cannot get resource "x" in API group "" in the namespace "{namespace or name}"\n'
            elif (kind, namespace, name) in self.objects:
                found.append(self.objects[kind, namespace, name])
        status = 1 if error else 0
        if form.startswith("go-template="):
            return Answer(status, "".join(map(_line, found)).encode(), error)
        if len(wanted) == 1 or not found:
            return Answer(status, json.dumps(found[0]).encode() if found else b"", error)
        return Answer(status, json.dumps({"kind": "List", "items": found}).encode(), error)

    def _get(self, kind: str, rest: Sequence[str]) -> Answer:
        if kind in self.denied or (f"{kind} -A" in self.denied and "-A" in rest):
            return Answer(1, b"", f'Error from server (Forbidden): {kind} is forbidden: "{CANARY}"')
        names, namespace, selector, only = [], None, {}, ""
        words = iter(rest)
        for word in words:
            if word == "-n":
                namespace = next(words)
            elif word == "-l":
                selector = dict(one.split("=") for one in next(words).split(","))
            elif word == "-o":
                form = next(words)
            elif word.startswith("--field-selector=metadata.name="):
                only = word.rpartition("=")[2]
            elif not word.startswith("-"):
                names.append(word)
        found = [
            one
            for (of_kind, place, name), one in self.objects.items()
            if of_kind == kind
            and (namespace is None or place == namespace)
            and (not names or name in names)
            and only in ("", name)
            and selector.items() <= one["metadata"].get("labels", {}).items()
        ]
        if form.startswith("go-template="):
            return Answer(0, "".join(map(_line, found)).encode(), "")
        if not found and names:
            return Answer(0, b"", "")
        return _json(found[0] if len(names) == 1 else {"kind": "List", "items": found})


def encoded_token(text: str) -> str:
    """As the API server keeps it."""
    return base64.b64encode(text.encode()).decode()


def _line(one: Object) -> str:
    owners = [owner["name"] for owner in one["metadata"].get("ownerReferences", ())]
    data_hash = one["metadata"].get("annotations", {}).get("reconcile.external-secrets.io/data-hash", "")
    keys = "".join(f"{key}={len(text)} " for key, text in one.get("data", {}).items())
    immutable = "true" if one.get("immutable") else ""
    place = one["metadata"]["namespace"], one["metadata"]["name"]
    return "\t".join((*place, one["type"], immutable, "".join(owners), data_hash, keys)) + "\n"


def _json(found: object) -> Answer:
    return Answer(0, json.dumps(found).encode(), "")
