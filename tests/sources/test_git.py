"""Git, asked in real repositories: whole, shallow, detached, foreign, broken."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from ci_runner import migrations, sources
from ci_runner.errors import DirectoryRefusedError, HistoryError, PilotageError, SetupError, TemporaryError, UsageError
from ci_runner.sources import Git, Limits
from tests.sources.repo import ENVIRON, clone, commit, commits, git, repository


@pytest.fixture
def forked(tmp_path: Path) -> tuple[Path, str, str, str]:
    """(origin, base, main, feature): two branches that part at ``base``, with 60 commits on main after it."""
    origin = tmp_path / "origin"
    repository(origin)
    commit(origin, "first", **{"m__1_a.sql": "SELECT 1;\n"})
    base = commits(origin, "main", 5)
    git(origin, "branch", "feature")
    main = commits(origin, "main", 60)
    feature = commits(origin, "feature", 3)
    return origin, base, main, feature


def test_a_repository_is_found_from_any_folder_in_it(tmp_path: Path) -> None:
    repository(tmp_path / "repo")
    (tmp_path / "repo" / "a" / "b").mkdir(parents=True)
    found = Git.find(tmp_path / "repo" / "a" / "b", ENVIRON)
    assert found is not None
    assert found.root == (tmp_path / "repo").resolve()
    assert "PATH" not in repr(found)


def test_outside_a_repository_there_is_none(tmp_path: Path) -> None:
    assert Git.find(tmp_path, ENVIRON) is None


def test_before_the_first_commit_there_is_a_branch_and_no_head(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    assert (repo.head(), repo.branch(), repo.default_branch()) == (None, "main", None)


def test_a_detached_head_has_no_branch(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    sha = commit(tmp_path)
    git(tmp_path, "checkout", "-q", "--detach")
    assert (repo.head(), repo.branch()) == (sha, None)
    assert repo.merge_base("HEAD", "main") == sha


@pytest.mark.parametrize(("branches", "config", "default"), [
    (["trunk", "main"], None, "main"), (["trunk", "master"], None, "master"), (["trunk"], "trunk", "trunk"), (["x"], None, None), (["x"], "-x", None),
])  # fmt: skip
def test_the_default_branch_without_a_remote(
    tmp_path: Path, branches: list[str], config: str | None, default: str | None
) -> None:
    repo = repository(tmp_path, branches[0])
    commit(tmp_path)
    for branch in branches[1:]:
        git(tmp_path, "branch", branch)
    if config:
        git(tmp_path, "config", "init.defaultBranch", config)
    assert repo.default_branch() == default


def test_the_remote_says_which_branch_is_its_default(tmp_path: Path) -> None:
    repository(tmp_path / "origin", "trunk")
    commit(tmp_path / "origin")
    git(tmp_path / "origin", "branch", "main")
    repo = clone(tmp_path / "origin", tmp_path / "clone")
    assert repo.default_branch() == "origin/trunk"
    git(tmp_path / "clone", "remote", "set-head", "origin", "--delete")
    assert repo.default_branch() == "origin/main"


@pytest.mark.parametrize(("address", "slug", "host"), [
    ("https://github.com/o/r.git", "o/r", "github.com"), ("https://x:y@GitHub.com/o/r", "o/r", "github.com"),
    ("git@github.com:o/r.git", "o/r", "github.com"), ("ssh://git@gitlab.example:2222/g/s/r.git", "g/s/r", "gitlab.example"),
    ("host:r", "r", "host"), ("https://[::1]:8443/o/r", "o/r", "[::1]"), ("/srv/r.git", None, None), ("", None, None),
])  # fmt: skip
def test_the_remote_names_repository_and_host(tmp_path: Path, address: str, slug: str | None, host: str | None) -> None:
    repo = repository(tmp_path)
    git(tmp_path, "config", "remote.origin.url", address)
    assert (repo.remote_slug(), repo.remote_host()) == (slug, host)


def test_the_merge_base_of_a_whole_clone(tmp_path: Path, forked: tuple[Path, str, str, str]) -> None:
    origin, base, main, feature = forked
    repo = clone(origin, tmp_path / "clone", "--branch", "feature")
    assert repo.merge_base("HEAD", "origin/main") == base
    assert repo.is_ancestor(base, "HEAD") is True
    assert repo.is_ancestor(main, feature) is False
    assert not repo.is_shallow()


@pytest.mark.parametrize("named", ["origin/main", "main", "sha"])
def test_a_shallow_clone_is_deepened_until_the_merge_base_shows(
    tmp_path: Path, forked: tuple[Path, str, str, str], named: str
) -> None:
    origin, base, main, _ = forked
    repo = clone(origin, tmp_path / "clone", "--depth=1", "--branch=feature")
    assert repo.is_shallow()
    assert repo.is_ancestor(base, "HEAD") is None
    assert repo.merge_base("HEAD", main if named == "sha" else named) == base
    assert sources.at_commit(repo, base, "m").files == {"1_a.sql": b"SELECT 1;\n"}


def test_a_shallow_clone_of_a_long_history_is_made_whole(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    repository(origin)
    base = commit(origin)
    git(origin, "branch", "feature")
    commits(origin, "main", 1300)
    commits(origin, "feature", 1)
    repo = clone(origin, tmp_path / "clone", "--depth=1", "--branch=feature")
    assert repo.merge_base("HEAD", "origin/main") == base


def test_a_detached_shallow_clone_works_as_a_runner_leaves_it(
    tmp_path: Path, forked: tuple[Path, str, str, str]
) -> None:
    origin, base, _, feature = forked
    checkout = tmp_path / "checkout"
    repo = repository(checkout)
    git(checkout, "remote", "add", "origin", f"file://{origin}")
    git(checkout, "fetch", "-q", "--no-tags", "--depth=1", "origin", f"+{feature}:refs/remotes/pull/1/merge")
    git(checkout, "checkout", "-q", "--force", "refs/remotes/pull/1/merge")
    assert repo.branch() is None
    assert repo.merge_base("HEAD", "origin/main") == base


def test_history_that_cannot_be_fetched_is_a_loud_error(tmp_path: Path, forked: tuple[Path, str, str, str]) -> None:
    origin, _, main, _ = forked
    repo = clone(origin, tmp_path / "clone", "--depth=1", "--branch=feature")
    git(tmp_path / "clone", "fetch", "-q", "--depth=1", "origin", main)
    git(tmp_path / "clone", "remote", "set-url", "origin", "https://user:hunter2secret@localhost:1/gone.git")
    with pytest.raises(HistoryError, match="fetch-depth: 0") as failed:
        repo.merge_base("HEAD", main)
    assert "hunter2secret" not in str(failed.value)
    with pytest.raises(HistoryError, match="cannot be fetched") as failed:
        repo.merge_base("HEAD", "f" * 40)
    assert "hunter2secret" not in str(failed.value)


def test_histories_without_a_common_commit_are_an_error(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    commit(tmp_path)
    git(tmp_path, "checkout", "-q", "--orphan", "other")
    commit(tmp_path, "other")
    with pytest.raises(HistoryError, match="no commit in common"):
        repo.merge_base("HEAD", "main")


def test_a_commit_that_is_missing_is_fetched_without_making_a_whole_clone_shallow(
    tmp_path: Path, forked: tuple[Path, str, str, str]
) -> None:
    origin, _, main, _ = forked
    repo = clone(origin, tmp_path / "clone", "--single-branch", "--branch=feature")
    assert repo.resolve(main) is None
    assert repo.ensure_commit(main) == main
    assert not repo.is_shallow()


@pytest.mark.parametrize("ref", ["--upload-pack=touch /tmp/x", "-x", "", "a b", "a..b", "a\nb", "\0"])
def test_a_name_that_could_be_an_option_is_refused(tmp_path: Path, ref: str) -> None:
    repo = repository(tmp_path)
    commit(tmp_path)
    for ask in (
        repo.resolve,
        repo.ensure_commit,
        lambda r: repo.merge_base("HEAD", r),
        lambda r: repo.is_ancestor(r, "HEAD"),
    ):
        with pytest.raises(UsageError, match="is no name of a commit"):
            ask(ref)


def test_a_repository_of_another_owner_is_trusted_for_this_one_call(
    tmp_path: Path, need: Callable[[bool, str, str], None]
) -> None:
    need(os.geteuid() == 0, "the right to change a file's owner", "run the tests as root")
    repo = repository(tmp_path)
    sha = commit(tmp_path)
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, 65534, 65534)
    assert repo.head() == sha
    assert (
        sources.Git(
            tmp_path, {**ENVIRON, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
        ).head()
        == sha
    )


def test_variables_of_an_outer_git_command_do_not_mislead(tmp_path: Path) -> None:
    repository(tmp_path / "other")
    commit(tmp_path / "other")
    repository(tmp_path / "repo")
    sha = commit(tmp_path / "repo", "mine")
    assert Git(tmp_path / "repo", {**ENVIRON, "GIT_DIR": str(tmp_path / "other" / ".git")}).head() == sha


def test_without_git_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="git is not installed"):
        Git(tmp_path, {"PATH": str(tmp_path)}).head()


def test_a_git_that_hangs_is_ended(tmp_path: Path) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(TemporaryError, match="longer than 1 seconds"):
        Git(tmp_path, {"PATH": f"{tmp_path}:{ENVIRON['PATH']}"}).attempt("version", seconds=1)


def test_a_command_that_fails_gives_gits_own_words(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="not a git repository"):
        Git(tmp_path, ENVIRON).is_shallow()


def test_a_commit_gives_the_tree_that_its_folder_gives(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    files = {
        "db__m__1_a.sql": "SELECT 'é';\r\n", "db__m__2 b.sql": b"\x00\xff", "db__m__sub__3_c.sql": "", "db__m__README.md": "x",
        "db__m__atlas.sum": "h1:\n", "db__config.toml": "x", "Cargo.toml": "sqlx", ".sqlx__q.json": "{}", "db__m__é.sql": "x",
    }  # fmt: skip
    (tmp_path / "db" / "m").mkdir(parents=True)
    (tmp_path / "db" / "m" / "link.sql").symlink_to("1_a.sql")
    commit(tmp_path, **files)  # type: ignore[arg-type]
    at_commit = sources.at_commit(repo, "HEAD", "db/m")
    folder = sources.folder(tmp_path / "db" / "m", root=tmp_path, shown="db/m")
    assert at_commit == replace(folder, simple={})  # which says nothing that the files do not
    assert at_commit.irregular == (("link.sql", "symlink"),)
    assert set(at_commit.context) == {"../config.toml", "../../Cargo.toml", "../../.sqlx/"}
    assert sources.at_commit(repo, "HEAD", "./db/m/").files == folder.files


def test_the_whole_repository_can_be_the_directory(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    commit(tmp_path, **{"1_a.sql": "SELECT 1;\n"})
    assert sources.at_commit(repo, "HEAD", ".").files == {"1_a.sql": b"SELECT 1;\n"}


def test_a_directory_that_a_commit_does_not_have_is_empty(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    sha = commit(tmp_path, other__x="y", file="z")
    assert sources.at_commit(repo, sha, "m").files == {}
    with pytest.raises(PilotageError):
        sources.at_commit(repo, sha, "file")


def test_a_commit_that_is_not_here_is_an_error_and_never_an_empty_directory(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    commit(tmp_path)
    with pytest.raises(HistoryError, match="not in this clone"):
        sources.at_commit(repo, "f" * 40, "m")


@pytest.mark.parametrize("path", ["../m", "/etc", "m/../..", ".."])
def test_a_path_outside_the_repository_is_refused(tmp_path: Path, path: str) -> None:
    repo = repository(tmp_path)
    commit(tmp_path)
    with pytest.raises(DirectoryRefusedError, match="outside the repository"):
        sources.at_commit(repo, "HEAD", path)


def test_a_submodule_is_no_file(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    sha = commit(tmp_path, **{"m__1_a.sql": "x"})
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{sha},m/sub")
    git(tmp_path, "commit", "-q", "-m", "submodule")
    tree = sources.at_commit(repo, "HEAD", "m")
    assert tree.irregular == (("sub", "submodule"),)
    with pytest.raises(DirectoryRefusedError, match="a submodule"):
        migrations.read(tree)


def test_the_caps_hold_for_commits_as_well(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    commit(tmp_path, **{"m__1_a.sql": "x" * 100})
    with pytest.raises(DirectoryRefusedError, match="limit is 99") as refused:
        sources.at_commit(repo, "HEAD", "m", limits=Limits(file=99))
    assert (refused.value.code, refused.value.file) == ("too-large", "1_a.sql")


@pytest.mark.parametrize("blobs", [False, True])
@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_a_commit_compared_with_a_folder_is_read_as_it_would_be_alone(
    tmp_path: Path, form: str, *, blobs: bool
) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", f"--object-format={form}")
    files: dict[str, bytes | str] = {
        "m__1_a.sql": "a\n",
        "m__2_b.sql": "b\n",
        "m__3_é.sql": "c\r\n",
        "m__sub__4_d.sql": "",
        "m__5_e.sql": b"\xff\0",
    }
    (folder / "m").mkdir()
    (folder / "m" / "6_link.sql").symlink_to("1_a.sql")
    first = commit(folder, "x", **files)
    (folder / "m" / "1_a.sql").chmod(0o755)
    second = commit(folder, **{"m__2_b.sql": "other\n"})
    alone = [sources.at_commit(Git(folder, ENVIRON), each, "m") for each in (first, second)]
    (folder / "m" / "6_link.sql").unlink()
    (folder / "m" / "6_link.sql").write_text("1_a.sql")  # the bytes that Git keeps of a link
    here = sources.begun(folder / "m", root=folder, shown="m", blobs=blobs)()
    for tree, at in zip(alone, (first, second), strict=True):
        beside = sources.at_commit(Git(folder, ENVIRON), at, "m", like=here)
        assert (beside.files, beside.irregular, beside.folders) == (tree.files, tree.irregular, tree.folders)
        assert beside.irregular == (("6_link.sql", "symlink"),)
    assert sources.at_commit(Git(folder, ENVIRON), second, "m", like=here).files["2_b.sql"] is here.files["2_b.sql"]


def test_a_folder_knows_what_git_calls_its_files(tmp_path: Path) -> None:
    repository(tmp_path)
    files = {"m__1_a.sql": b"SELECT 1;\n", "m__2_b.sql": b"", "m__3_c.sql": b"x" * 70_000, "m__sub__4_d.sql": b"\xff\0"}
    commit(tmp_path, **files)  # type: ignore[arg-type]
    tree = sources.begun(tmp_path / "m", blobs=True)()
    said = {path: git(tmp_path, "hash-object", f"m/{path}").strip() for path in tree.files}
    short = {path: name for path, name in said.items() if path != "3_c.sql"}  # a long file is not hashed unasked
    assert tree.blobs == short
    assert sources.folder(tmp_path / "m").blobs == {}
