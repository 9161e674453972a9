"""Which link of a server's certificates is wrong."""

from __future__ import annotations

import pytest

from arcan_gitops.doctor.chain import Fault, authority_of, judge
from tests.doctor.certificates import HOST, NOW, Party, leaf

ROOT = Party("root")
OTHER = Party("other root")
MIDDLE = Party("middle", ROOT)
SERVER = leaf(ROOT)
UNDER_MIDDLE = leaf(MIDDLE)


def faults(shown: list[Party], trusted: list[Party], host: str = HOST) -> list[tuple[Fault, str]]:
    certificates = [party.certificate for party in shown]
    found = judge(certificates, [party.certificate for party in trusted], host, NOW)
    return [(bad.fault, bad.text) for bad in found]


@pytest.mark.parametrize(
    ("shown", "trusted"),
    [
        ([SERVER], [ROOT]),
        ([SERVER, ROOT], [ROOT]),
        ([SERVER], [OTHER, ROOT]),
        ([UNDER_MIDDLE, MIDDLE], [ROOT]),
        ([UNDER_MIDDLE], [MIDDLE]),  # Go trusts what is in the pool, a root or not
        ([UNDER_MIDDLE], [MIDDLE, ROOT]),
        ([UNDER_MIDDLE, ROOT, MIDDLE], [ROOT]),
    ],
)
def test_a_chain_that_ends_at_what_is_trusted_has_no_bad_link(
    shown: list[Party], trusted: list[Party]
) -> None:
    assert faults(shown, trusted) == []


def test_the_servers_own_certificate_in_place_of_its_ca_works_and_is_named() -> None:
    [(fault, text)] = faults([SERVER, ROOT], [SERVER])
    assert fault is Fault.LEAF_AS_CA
    assert "the server's own certificate, and no CA" in text


def test_after_a_renewal_it_no_longer_works() -> None:
    [(fault, text)] = faults([leaf(ROOT), ROOT], [SERVER])
    assert (fault, "by 'root'" in text) == (Fault.OLD_LEAF, True)


def test_a_ca_that_was_made_anew_under_the_same_name_is_told_from_another_one() -> None:
    [(fault, text)] = faults([SERVER], [Party("root")])
    assert fault is Fault.OTHER_KEY
    assert "another key than that of the CA 'root'" in text
    [(fault, text)] = faults([SERVER, ROOT], [OTHER])
    assert fault is Fault.UNKNOWN_ISSUER
    assert text == "the chain ends at 'root', and the store trusts 'other root'"


def test_a_link_that_the_server_does_not_show_is_named() -> None:
    [(fault, text)] = faults([UNDER_MIDDLE], [ROOT])
    assert fault is Fault.UNKNOWN_ISSUER
    assert text == "'server' is signed by 'middle', which the server does not show; the store trusts 'root'"


@pytest.mark.parametrize("at", [0, 1, 2])
def test_each_link_that_has_ended_is_named(at: int) -> None:
    days = [(-10, -1) if at == number else (-10, 10) for number in range(3)]
    root = Party("root", days=days[2])
    middle = Party("middle", root, days=days[1])
    shown = [leaf(middle, days=days[0]), middle]
    name = ("server", "middle", "root")[at]
    assert faults(shown, [root]) == [(Fault.EXPIRED, f"'{name}' ended on 2026-05-31")]


def test_a_clock_that_is_behind_is_thought_of() -> None:
    [(fault, text)] = faults([leaf(ROOT, days=(1, 10))], [ROOT])
    assert fault is Fault.NOT_YET_VALID
    assert text.endswith("is not valid before 2026-06-02 12:00 UTC: check both clocks")


@pytest.mark.parametrize(
    ("names", "host", "fits"),
    [
        (("arcan.internal",), "ARCAN.internal", True),
        (("*.internal",), "arcan.internal", True),
        (("*.internal",), "a.arcan.internal", False),
        (("*.internal",), "internal", False),
        (("arcan.arcan.svc", "arcan.internal"), "arcan.internal", True),
        (("arcan.internal",), "127.0.0.1", False),
    ],
)
def test_the_host_must_be_among_its_names(names: tuple[str, ...], host: str, fits: bool) -> None:
    found = faults([leaf(ROOT, hosts=names)], [ROOT], host)
    expected = f"'server' is for {', '.join(names)}, and not for {host}"
    assert found == ([] if fits else [(Fault.WRONG_HOST, expected)])


def test_what_has_signed_and_is_no_ca_is_named() -> None:
    pretender = Party("pretender", ROOT, ca=False)
    assert faults([leaf(pretender), pretender], [ROOT]) == [
        (Fault.NOT_A_CA, "'pretender' has signed another certificate, and is no CA")
    ]


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = faults([leaf(ROOT, hosts=("other",), days=(-10, -1))], [OTHER])
    assert [fault for fault, _ in found] == [Fault.WRONG_HOST, Fault.EXPIRED, Fault.UNKNOWN_ISSUER]


def test_the_authority_is_the_upper_end_and_never_the_leaf() -> None:
    assert authority_of([SERVER.certificate, ROOT.certificate]) == ROOT.certificate
    chain = [UNDER_MIDDLE.certificate, MIDDLE.certificate, ROOT.certificate]
    assert authority_of(chain) == ROOT.certificate
    assert authority_of([UNDER_MIDDLE.certificate, MIDDLE.certificate]) == MIDDLE.certificate
    assert authority_of([SERVER.certificate, OTHER.certificate]) is None
    assert authority_of([SERVER.certificate]) is None
    assert authority_of([]) is None
