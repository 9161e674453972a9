"""Certificates that change while the server runs: served within seconds, and no request fails for it."""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from arcan_gitops.certificates import new_ca
from arcan_gitops.server.renewal import Renewal
from arcan_gitops.server.tls import BadCertificate, Certificate
from tests.server.test_metrics import samples
from tests.support.certificates import issue, put, serial, served
from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

TARGET = "/api/v1/eso/shop/A?env=prod"


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\n")
    return files


class Given:
    """A server with certificates that somebody else renews."""

    def __init__(self, files: RealmFiles, folder: Path, *options: str) -> None:
        self.ca = new_ca()
        self.folder = folder
        put(folder, issue(self.ca, 200))
        pair = ("--tls-cert", str(folder / "tls.crt"), "--tls-key", str(folder / "tls.key"))
        self.server = LiveServer(files, folder / "server", *pair, *options)
        self.server.ca = folder / "ca.crt"
        self.server.ca.write_bytes(self.ca.certificate.public_bytes(Encoding.PEM))


def test_a_new_pair_is_served_by_every_worker_and_no_request_fails(files: RealmFiles, tmp_path: Path) -> None:
    """The files were read once: the old one was served after it had ended."""
    token = create_token(files, "shop", "eso")
    given = Given(files, tmp_path, "--workers", "2", "--metrics-port", "0")
    with given.server as server:
        metrics = int(server.wait_for_log(r"metrics on https://127\.0\.0\.1:(\d+)/metrics")[1])
        failures: list[object] = []
        done = threading.Event()

        def read(*, kept: bool) -> None:
            connection = server.connect()
            while not done.is_set():
                try:
                    connection.request("GET", TARGET, headers={"Authorization": f"Bearer {token}"})
                    response = connection.getresponse()
                    response.read()
                    assert response.status == 200
                    if not kept:
                        connection.close()
                except Exception as error:
                    failures.append(error)
                time.sleep(0.01)

        readers = [threading.Thread(target=read, kwargs={"kept": number % 2 == 0}) for number in range(4)]
        for reader in readers:
            reader.start()
        try:
            for _ in range(2):
                pair = issue(given.ca, 300)
                put(tmp_path, pair)
                server.wait(lambda pair=pair: served(server.port) == {serial(pair[0])}, 30)
                assert served(metrics) == {serial(pair[0])}
        finally:
            done.set()
            for reader in readers:
                reader.join()
        assert failures == []
        assert server.get("/readyz").status == 200


def test_a_pair_that_does_not_fit_keeps_the_old_one_also_for_a_worker_that_is_replaced(
    files: RealmFiles, tmp_path: Path
) -> None:
    given = Given(files, tmp_path, "--metrics-port", "0")
    with given.server as server:
        before = served(server.port)
        (tmp_path / "tls.crt").write_bytes(issue(given.ca, 300)[0])  # and not its key
        server.wait_for_log("the certificate is not replaced: .*is not the unencrypted private key of")
        server.wait(lambda: samples(server)["arcan_certificate_reload_failed"] == 1)
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        os.kill(int(children.read_text().split()[0]), 9)
        server.wait(lambda: served(server.port) == before)
        assert server.get("/readyz").status == 200
        pair = issue(given.ca, 300)
        put(tmp_path, pair)
        server.wait(lambda: served(server.port) == {serial(pair[0])}, 30)
        server.wait(lambda: samples(server)["arcan_certificate_reload_failed"] == 0)
        assert server.log.count("is not the unencrypted private key") == 1


def test_our_own_certificate_is_renewed_while_it_runs(files: RealmFiles, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server") as server:
        before = served(server.port)
        tls = server.ca.parent
        (tls / "server.crt").unlink()  # it looks each hour, and when the files change
        server.wait(lambda: served(server.port) != before and len(served(server.port)) == 1, 30)
        assert server.get("/livez").status == 200  # clients that trust our CA need nothing new


def test_the_end_of_a_certificate_is_told_in_time(
    files: RealmFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def levels(days: float) -> list[str]:
        caplog.clear()
        end = datetime.now(UTC) + timedelta(days=days)
        with caplog.at_level(logging.INFO):
            Renewal(Certificate(b"", b"", end), (), lambda: Certificate(b"", b"", end)).remind()
        return [record.levelname for record in caplog.records]

    assert levels(31) == []
    assert levels(29) == levels(8) == ["INFO"]
    assert levels(6.9) == levels(0.001) == ["WARNING"]
    assert levels(-0.001) == ["ERROR"]

    given = Given(files, tmp_path, "--metrics-port", "0")
    put(tmp_path, issue(given.ca, 5))
    with given.server as server:
        assert "WARNING the certificate ends in 4 days" in server.log
        assert samples(server)["arcan_certificate_expiring"] == 1
        put(tmp_path, issue(given.ca, 100))
        server.wait(lambda: samples(server)["arcan_certificate_expiring"] == 0)


def test_a_renewal_that_fails_is_tried_again_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    end = datetime.now(UTC) + timedelta(days=100)
    first, second = Certificate(b"1", b"", end), Certificate(b"2", b"", end)
    answers: list[Certificate | BadCertificate] = [BadCertificate("bad"), BadCertificate("bad"), second]

    def load() -> Certificate:
        answer = answers.pop(0)
        if isinstance(answer, BadCertificate):
            raise answer
        return answer

    renewal = Renewal(first, (), load)
    renewal.failed = True
    changed = []
    for _ in range(3):
        renewal._looked = -100.0
        changed.append(renewal.look())
    assert changed == [False, False, True]
    assert renewal.current is second
    assert sum("not replaced" in record.message for record in caplog.records) == 1


def test_two_cas_at_once_carry_clients_from_one_to_the_other(files: RealmFiles, tmp_path: Path) -> None:
    """The procedure of docs/certificates.md: clients trust both before the server changes."""
    token = create_token(files, "shop", "eso")
    given = Given(files, tmp_path)
    old, new = given.ca, new_ca()
    with given.server as server:
        assert server.get(TARGET, token).status == 200
        bundle = old.certificate.public_bytes(Encoding.PEM) + new.certificate.public_bytes(Encoding.PEM)
        server.ca.write_bytes(bundle)
        assert server.get(TARGET, token).status == 200
        pair = issue(new, 300)
        put(tmp_path, pair)
        while served(server.port, 2) != {serial(pair[0])}:
            assert server.get(TARGET, token).status == 200
        server.ca.write_bytes(new.certificate.public_bytes(Encoding.PEM))
        server.wait(lambda: server.get(TARGET, token).status == 200)
