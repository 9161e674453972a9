"""`kustomize/ca.crt`: the CA that stores trust where `arcan.yaml` names none."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.certificates import issue, new_ca
from arcan_gitops.overlay.ca import DEFAULT_CA, BadCertificateAuthority, EmbeddedCa
from arcan_gitops.overlay.project import read_settings

URL = "server: {url: 'https://arcan.example.org:9797'%s}\noverlays: {prod: {environment: prod}}\n"


def test_it_is_embedded_into_the_stores_of_every_overlay(tmp_path: Path) -> None:
    authority = new_ca()
    (tmp_path / "ca.crt").write_bytes(authority.chain())
    assert read_settings(tmp_path).defaults.ca == EmbeddedCa(authority.chain())  # without arcan.yaml too
    (tmp_path / "arcan.yaml").write_text(URL % "")
    settings = read_settings(tmp_path)
    (overlay,) = settings.declared
    assert settings.defaults.ca == overlay.settings.ca == EmbeddedCa(authority.chain())


def test_what_the_settings_say_comes_first(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(new_ca().chain())
    (tmp_path / "arcan.yaml").write_text(URL % ", ca: {configMap: arcan-ca}")
    assert read_settings(tmp_path).defaults.ca == DEFAULT_CA


def test_without_it_the_ca_is_in_a_configmap(tmp_path: Path) -> None:
    assert read_settings(tmp_path).defaults.ca == DEFAULT_CA
    (tmp_path / "arcan.yaml").write_text(URL % "")
    assert read_settings(tmp_path).defaults.ca == DEFAULT_CA


def test_a_servers_own_certificate_in_its_place_is_refused(tmp_path: Path) -> None:
    authority = new_ca()
    leaf = issue(authority.certificate, authority.key, ["arcan.example.org"])
    (tmp_path / "ca.crt").write_bytes(leaf.chain())
    with pytest.raises(BadCertificateAuthority, match=r"ca\.crt: .*not a CA"):
        read_settings(tmp_path)
