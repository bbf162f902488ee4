"""Addresses of repositories and pull requests, as people and Git write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner.platforms.addresses import Place, read

BB = "https://bb.acme.example"
API = "/rest/api/1.0"
CASES = {
    f"{BB}/projects/SHOP/repos/till/pull-requests/7": Place("bitbucket", BB, BB + API, "SHOP/till", 7),
    f"{BB}/projects/SHOP/repos/till/pull-requests/7/overview": Place("bitbucket", BB, BB + API, "SHOP/till", 7),
    f"{BB}/projects/SHOP/repos/till/browse?at=x": Place("bitbucket", BB, BB + API, "SHOP/till"),
    f"{BB}/users/mira/repos/till": Place("bitbucket", BB, BB + API, "~mira/till"),
    f"{BB}/scm/shop/till.git": Place("bitbucket", BB, BB + API, "shop/till"),
    f"{BB}/scm/~mira/till.git": Place("bitbucket", BB, BB + API, "~mira/till"),
    "http://git.acme.example:7990/bitbucket/scm/shop/till.git": Place(
        "bitbucket", "http://git.acme.example:7990/bitbucket", f"http://git.acme.example:7990/bitbucket{API}", "shop/till"
    ),
    "https://mira@git.acme.example/git/projects/SHOP/repos/till": Place(
        "bitbucket", "https://git.acme.example/git", f"https://git.acme.example/git{API}", "SHOP/till"
    ),
    "ssh://git@git.acme.example:7999/shop/till.git": Place(
        "bitbucket", "https://git.acme.example", f"https://git.acme.example{API}", "shop/till"
    ),
    "https://bitbucket.org/acme/shop/pull-requests/7": Place(
        "bitbucket", "https://bitbucket.org", "https://api.bitbucket.org/2.0", "acme/shop", 7
    ),
    "git@bitbucket.org:acme/shop.git": Place(
        "bitbucket", "https://bitbucket.org", "https://api.bitbucket.org/2.0", "acme/shop"
    ),
    "https://github.com/acme/shop/pull/7/files": Place("github", "https://github.com", "https://api.github.com", "acme/shop", 7),
    "https://git.acme.example:8443/acme/shop/pull/7": Place(
        "github", "https://git.acme.example:8443", "https://git.acme.example:8443/api/v3", "acme/shop", 7
    ),
    "git@github.com:acme/shop.git": Place("github", "https://github.com", "https://api.github.com", "acme/shop"),
    "https://gitlab.com/acme/db/shop/-/merge_requests/7": Place(
        "gitlab", "https://gitlab.com", "https://gitlab.com/api/v4", "acme/db/shop", 7
    ),
    "https://git.acme.example/acme/db/shop/-/merge_requests/7/diffs": Place(
        "gitlab", "https://git.acme.example", "https://git.acme.example/api/v4", "acme/db/shop", 7
    ),
    "https://git.acme.example/acme/shop/merge_requests/7": Place(
        "gitlab", "https://git.acme.example", "https://git.acme.example/api/v4", "acme/shop", 7
    ),
    "https://gitlab.acme.example/projects/x/repos/y": Place(
        "gitlab", "https://gitlab.acme.example", "https://gitlab.acme.example/api/v4", "projects/x/repos/y"
    ),
    "https://gitlab.com/scm/a/b.git": Place("gitlab", "https://gitlab.com", "https://gitlab.com/api/v4", "scm/a/b"),
    "https://acme@dev.azure.com/acme/Web%20Shop/_git/till": Place(
        "azure", "https://dev.azure.com/acme", "https://dev.azure.com/acme", "Web Shop/till"
    ),
    "https://dev.azure.com/acme/_git/till": Place("azure", "https://dev.azure.com/acme", "https://dev.azure.com/acme", "till/till"),
    "https://dev.azure.com/acme/Web%20Shop/_git/till/pullrequest/7?_a=files": Place(
        "azure", "https://dev.azure.com/acme", "https://dev.azure.com/acme", "Web Shop/till", 7
    ),
    "https://acme.visualstudio.com/Shop/_git/till": Place(
        "azure", "https://acme.visualstudio.com", "https://acme.visualstudio.com", "Shop/till"
    ),
    "https://tfs.acme.example/tfs/Main/Shop/_git/till": Place(
        "azure", "https://tfs.acme.example/tfs/Main", "https://tfs.acme.example/tfs/Main", "Shop/till"
    ),
    "https://code.acme.example/acme/shop.git": Place(None, "https://code.acme.example", None, "acme/shop"),
    "": None,
    "https://github.com": None,
    "https://github.com/": None,
    "ftp://github.com/a/b": None,
    "not an address": None,
    "/srv/git/shop.git": None,
}  # fmt: skip


@pytest.mark.parametrize("address", CASES)
def test_an_address_is_read_exactly(address: str) -> None:
    assert read(address) == CASES[address]


def test_what_is_known_of_the_scm_settles_what_the_address_leaves_open() -> None:
    assert read("https://code.acme.example/acme/db/shop.git", "gitlab") == Place(
        "gitlab", "https://code.acme.example", "https://code.acme.example/api/v4", "acme/db/shop"
    )


@given(st.text(alphabet="abA:/@.-_?#%0~", max_size=60) | st.text(max_size=40))
@settings(deadline=None, max_examples=500)
def test_no_text_breaks_the_reading(text: str) -> None:
    for said in (text, f"https://x/{text}"):
        found = read(said)
        assert found is None or (found.server.startswith("http") and found.repository)


def test_a_long_address_is_read_at_once() -> None:
    started = time.process_time()
    for middle in ("/a" * 50_000, "/projects" * 20_000, "/-" * 50_000, ":" * 100_000, "@" * 100_000):
        read(f"https://x{middle}/repos/")
        read(f"x@{middle}")
    assert time.process_time() - started < 2
