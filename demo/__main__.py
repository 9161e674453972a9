"""The story, chapter by chapter; every step runs the command that a user would run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from arcan_gitops.access import mint
from arcan_gitops.demo import DEMO_RECIPIENT
from demo.terminal import chapter, command_line, show, styled
from demo.world import ROOT, World

# token -> (realm, namespace of the app that uses it)
TOKENS: Final = {
    "shop": ("production", "shop"),
    "mailer": ("production", "mailer"),
    "monitoring": ("platform", "monitoring"),
}
OVERLAY: Final = "kustomize/overlays/prod"
DOCUMENT: Final = "realms/production/prod.sops.yaml"
ONE_KEY: Final = "/api/v1/eso/production/DATABASE_URL?env=prod"


def prepare(world: World) -> None:
    """Clone, and make the sample realms our own."""
    chapter(
        "Realm files in Git",
        "Two realms, two environments, encrypted by SOPS. The committed samples are encrypted to a public "
        "demo identity; this clone re-encrypts them to a throw-away one, which lives in memory only.",
    )
    world.run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(world.clone), quiet=True)
    demo_identity = (world.clone / "demo" / "worthless-identity.txt").read_text().split()[-1]
    config = world.clone / ".sops.yaml"
    config.write_text(config.read_text().replace(DEMO_RECIPIENT, world.recipient))
    world.run("arcan", "realm", "updatekeys", "--all", also=demo_identity)
    for realm in ("platform", "production"):
        world.run("arcan", "realm", "rotate", realm)
    world.commit("Encrypt the realms to our own identity")
    show(world.run("arcan", "realm", "recipients"), width=100)
    show(world.run("arcan", "secret", "list", "production", "--env", "prod"))
    world.run("arcan", "realm", "check")


def serve(world: World) -> None:
    """Start the server."""
    chapter(
        "The server", "It decrypts and verifies every document before it listens, and makes a CA of its own."
    )
    world.start_server()


def tokens(world: World) -> tuple[str, str]:
    """(a narrow token, the manifests of the apps' token Secrets): in memory only."""
    chapter(
        "Tokens",
        "Scoped, and recorded as digests beside the realm that they open. ESO finds each one in a labelled "
        "Kubernetes Secret; here they stay in memory.",
    )
    create = ["arcan", "token", "create", "--realm=production", "--name=ci", "--policy=read-only"]
    narrow = world.run(*create, "--key", "DATABASE_*", "--expires", "1h").strip()
    print(f"    {narrow[:17]}{'*' * 49}   (standard output, this once)")
    secrets = ""
    for name, (realm, namespace) in TOKENS.items():
        rotate = ["arcan", "token", "rotate", name, f"--realm={realm}", "--overlap", "0s"]
        secrets += world.run(*rotate, "--format", "secret", "--namespace", namespace)
    world.commit("Rotate the tokens")
    world.wait("the tokens", lambda: world.get(ONE_KEY, narrow)[0] == 200)
    return narrow, secrets


def generate(world: World) -> None:
    """Generate the overlays, and show one file."""
    chapter("Manifests", "Declared apps become SecretStores and ExternalSecrets for Argo CD to deploy.")
    show((world.clone / "kustomize/apps/mailer.yaml").read_text())
    world.run("arcan", "generate", "overlays")
    world.run("arcan", "generate", "overlays", "--check")
    show((world.clone / OVERLAY / "mailer/apps/mailer.yaml").read_text(), first=28)


def simulate(world: World, secrets: str, *options: str, quiet: bool = False) -> str:
    """Run the ESO emulator over the overlay and the token Secrets, against the live server."""
    command = ["arcan", "simulate", "-f", OVERLAY, "-f", "-", "--connect-to", world.address]
    return world.run(*command, "--ca-file", str(world.ca), *options, data=secrets, quiet=quiet)


def sync(world: World, secrets: str) -> None:
    """Show the Kubernetes Secrets."""
    chapter(
        "What ESO makes of it",
        "An emulator of the External Secrets Operator reads the generated manifests and asks the live server "
        "over TLS. These Kubernetes Secrets come out:",
    )
    show(simulate(world, secrets, *(["--reveal"] if os.environ.get("REVEAL") else [])))


def change(world: World, secrets: str) -> None:
    """Change one secret on a branch, merge it, see it arrive."""
    chapter(
        "A change, by pull request",
        "One value is set on a branch, from standard input. The diff shows which key changed and not to "
        "what. The overlay names the new version of the key, so that ESO asks at once and gets no other; "
        "the server picks the merge up in place.",
    )
    revision = world.ready()["revision"]
    before = _values(simulate(world, secrets, "--reveal", "--format", "json", quiet=True))
    world.run("git", "switch", "--quiet", "--create", "new-database-password")
    new = f"postgresql://shop:{os.urandom(12).hex()}@db.prod.internal:5432/shop"
    world.run("arcan", "secret", "set", "production", "DATABASE_URL", "--env", "prod", "--stdin", data=new)
    diff = world.run("git", "diff", "--unified=0", DOCUMENT)
    show(
        "\n".join(line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")),
        width=100,
    )
    world.run("arcan", "realm", "check", DOCUMENT)
    world.run("arcan", "generate", "overlays")
    world.commit("New database password")
    world.run("git", "switch", "--quiet", "-")
    world.run("git", "merge", "--quiet", "new-database-password")
    world.wait("the merge", lambda: world.ready()["revision"] != revision)
    print(f"    /readyz: revision {revision[:12]} -> {world.ready()['revision'][:12]}")
    after = _values(simulate(world, secrets, "--reveal", "--format", "json", quiet=True))
    changed = [name for name, value in after.items() if before[name] != value]
    print(f"    changed in the Kubernetes Secrets: {', '.join(changed)}")


def _values(report: str) -> dict[str, object]:
    """Each key of each Kubernetes Secret, by `namespace/secret key`."""
    secrets = [outcome["secret"] for outcome in json.loads(report)["externalSecrets"]]
    return {
        f"{secret['namespace']}/{secret['name']} {key['key']}": key
        for secret in secrets
        for key in secret["keys"]
    }


def colleagues(world: World) -> None:
    """Two people without any identity set values of one environment, and both branches merge."""
    chapter(
        "A value that nobody need read",
        "In another clone an environment gets a file for each key. Two colleagues who hold no identity each "
        "set a value on a branch of their own: nothing is decrypted, and plain Git merges both.",
    )
    folder = world.folder / "colleagues"
    place = ("production", "--env", "staging")

    def run(*command: str, data: str | None = None, without_identity: bool = True) -> str:
        return world.run(*command, data=data, folder=folder, without_identity=without_identity)

    world.run("git", "clone", "--quiet", str(world.clone), str(folder), quiet=True)
    run("arcan", "realm", "split", *place, without_identity=False)
    _commit(world, folder, "A file for each key")
    main = world.run("git", "branch", "--show-current", quiet=True, folder=folder).strip()
    for name, key in (("alice", "STRIPE_API_KEY"), ("bob", "DATABASE_URL")):
        run("git", "switch", "--quiet", "--create", name, main)
        run(
            "arcan",
            "secret",
            "set",
            "production",
            key,
            "--env",
            "staging",
            "--stdin",
            data=os.urandom(12).hex(),
        )
        _commit(world, folder, f"{name}: another {key}")
    run("git", "switch", "--quiet", main)
    run("git", "merge", "--quiet", "alice")
    run("git", "merge", "--quiet", "--no-edit", "bob")
    show(run("git", "log", "--format=%s", "--name-only", "--no-merges", "-2"), width=100)
    show(run("arcan", "realm", "verify", "production", "--env", "staging", without_identity=False))


def _commit(world: World, folder: Path, message: str) -> None:
    world.run("git", "add", "--all", quiet=True, folder=folder)
    world.run("git", "commit", "--quiet", "--message", message, quiet=True, folder=folder)


def refuse(world: World, narrow: str) -> None:
    """Show who gets which refusal."""
    chapter(
        "Who is refused",
        "A wrong token is 401. Outside a token's scope it is 403, whether it exists or not. ESO deletes a "
        "Secret on 404, so 404 means one thing only: the key is truly not there.",
    )
    one = "/api/v1/eso/production/"
    for what, token, path in (
        ("a token that nobody knows", mint().text.reveal(), ONE_KEY),
        ("'ci' asks for DATABASE_URL", narrow, ONE_KEY),
        ("'ci' asks for STRIPE_API_KEY", narrow, f"{one}STRIPE_API_KEY?env=prod"),
        ("'ci' asks for all keys", narrow, "/api/v1/eso/production?env=prod"),
        ("'ci' asks for another realm", narrow, "/api/v1/eso/platform/OAUTH_CLIENT_ID?env=prod"),
        ("'ci' asks for DATABASE_URI, a typo", narrow, f"{one}DATABASE_URI?env=prod"),
    ):
        status, body = world.get(path, token)
        print(f"    {what:36} {status} {body.get('error', {}).get('code', 'ok')}")
    print("    and the audit log has each of them:")
    line = [line for line in world.audit().splitlines() if '"request_id"' in line][-1]
    show("{" + line[line.index('"status"') :], width=200)


def tamper(world: World, narrow: str) -> None:
    """Delete a line without the key; the server keeps what it has."""
    chapter(
        "A tampered document",
        "Somebody without the key deletes one line. Every value that is left still decrypts: only the MAC "
        "tells. The server keeps the last good state, and says so.",
    )
    document = world.clone / DOCUMENT
    good = document.read_bytes()
    command_line(["sed", "-i", "/^STRIPE_API_KEY:/d", DOCUMENT])
    kept = [line for line in good.splitlines(keepends=True) if not line.startswith(b"STRIPE_API_KEY:")]
    document.write_bytes(b"".join(kept))
    world.wait("the refusal", lambda: world.ready()["reload"] == "failed")
    world.wait("its log", lambda: "MAC" in world.log("ERROR"))
    show(world.log("ERROR"))
    print(f"    DATABASE_URL: {world.get(ONE_KEY, narrow)[0]}; /readyz: {_state(world)}")
    world.run("git", "restore", DOCUMENT)
    world.wait("the repair", lambda: world.ready()["reload"] == "ok")
    print(f"    /readyz: {_state(world)}")


def _state(world: World) -> str:
    ready = world.ready()
    return f"{ready['status']}, reload: {ready['reload']}"


def validate(world: World) -> None:
    """Build and validate the overlays."""
    chapter("Validation", "Kustomize builds every overlay, and each manifest is checked strictly, offline.")
    overlays = ["kustomize/overlays"]
    if not any(map(shutil.which, ("kustomize", "kubectl"))):
        print("    (neither kustomize nor kubectl is at hand: the manifests are validated as they are)")
        overlays = [str(path) for path in sorted((world.clone / "kustomize/overlays").glob("*/*/*.yaml"))]
    show(world.run("arcan", "validate", *overlays))


def main() -> None:
    """Tell the story in a temporary folder, and clean up whatever happens."""
    began = time.monotonic()
    if not (ROOT / ".git").exists():
        raise SystemExit("demo: the project must be a Git clone, for the demo works in a clone of it")
    print("Kubernetes secrets from Git: encrypted files, a server that verifies them, manifests for ESO.")
    print(
        "Values are masked; 'make demo REVEAL=1' shows them. What is not committed is not part of the demo."
    )
    os.environ["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    )
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="arcan-demo-") as folder:
        world = World(Path(folder))
        try:
            prepare(world)
            serve(world)
            narrow, secrets = tokens(world)
            generate(world)
            sync(world, secrets)
            change(world, secrets)
            colleagues(world)
            refuse(world, narrow)
            tamper(world, narrow)
            validate(world)
        finally:
            world.stop_server()
    seconds = time.monotonic() - began
    print(f"\n{styled('1;32', f'Done in {seconds:.0f} s')}: the server is stopped, the clone is gone.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
