"""A hook reaches nobody's inner network, whatever its address is written as and whatever its name leads to."""

from __future__ import annotations

import pytest

from ci_runner.errors import RefusedError
from ci_runner.notify import check

OPEN = {"good.example": ["93.184.215.14"], "six.example": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"]}
INNER = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "100.127.255.255", "198.18.0.1", "192.0.2.1", "203.0.113.9", "198.51.100.1", "192.0.0.8", "192.88.99.1",
    "::1", "fc00::1", "fd12:3456::1", "fec0::1", "2001:db8::1", "100::1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "ff02::1", "fe80::1", "fd00:ec2::254", "100.100.100.200", "192.0.0.192",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip
SPELLINGS = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.1", "0x7f.1", "0", "1.2.3.4.5", "00000177.1"]


def lookup(host: str, _port: int) -> list[str]:
    if host in OPEN:
        return OPEN[host]
    return [host.removeprefix("to-").removesuffix(".example").replace("_", ":")]


def written(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def named(address: str) -> str:
    return f"to-{address.replace(':', '_')}.example"


@pytest.mark.parametrize("host", OPEN)
def test_a_name_that_leads_outside_is_let_through_with_the_addresses_that_were_judged(host: str) -> None:
    target = check(f"https://{host}/services/x", lookup)
    assert (target.host, target.port, list(target.addresses)) == (host, 443, OPEN[host])


@pytest.mark.parametrize("address", [*INNER, *NEVER])
@pytest.mark.parametrize("spell", [written, named])
def test_an_address_inside_is_refused_written_out_or_behind_a_name(address: str, spell: object) -> None:
    with pytest.raises(RefusedError):
        check(f"https://{spell(address)}/x", lookup)  # type: ignore[operator]


@pytest.mark.parametrize("address", INNER)
def test_a_trusted_configuration_may_open_its_own_network(address: str) -> None:
    assert check(f"http://{written(address)}:8931/x", lookup, allow_private=True).addresses == (address,)


@pytest.mark.parametrize("address", NEVER)
def test_where_a_cloud_hands_out_credentials_stays_closed_all_the_same(address: str) -> None:
    with pytest.raises(RefusedError):
        check(f"https://{written(address)}/latest/meta-data", lookup, allow_private=True)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_odd_spellings_of_an_address_are_refused_before_anything_is_looked_up(spelling: str) -> None:
    def never(*_: object) -> list[str]:
        raise AssertionError("looked up")

    with pytest.raises(RefusedError, match="odd spelling"):
        check(f"https://{spelling}/x", never)


@pytest.mark.parametrize(
    "url",
    ["http://good.example/x", "ftp://good.example/", "https:///x", "https://user:pw@good.example/x", "https://good.example/#x",
     "https://good.example:22/x", "https://good.example:99999/x", "https://[::1/x", "https://good.example/a b", "good.example/x", ""],
)  # fmt: skip
def test_an_address_of_another_form_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check(url, lookup)
    assert "pw" not in str(refused.value)


def test_a_plain_address_outside_is_refused_even_where_the_own_network_is_open() -> None:
    with pytest.raises(RefusedError, match="https"):
        check("http://good.example/x", lookup, allow_private=True)


def test_a_listed_port_is_let_through() -> None:
    assert check("https://good.example:8444/x", lookup, ports=(8444,)).port == 8444
    assert check("https://good.example:8443/x", lookup).port == 8443


def test_one_inner_address_among_good_ones_is_enough_to_refuse() -> None:
    with pytest.raises(RefusedError):
        check("https://mixed.example/x", lambda _host, _port: ["93.184.215.14", "10.0.0.1"])
