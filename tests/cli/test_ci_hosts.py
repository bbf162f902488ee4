"""The main job on every pair of CI system and SCM: the reviewer sees the same, wherever it ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, Repository
from tests.scm.host import BY_NAME, Host

RISKY = {"migrations/2_drop.sql": "ALTER TABLE users DROP COLUMN email;\n"}
Branch = Callable[[Mapping[str, str | bytes]], Repository]
REPOSITORY = {"github": "acme/shop", "gitlab": "acme/db/shop", "bitbucket": "acme/shop"}
SITE = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}

Env = Callable[[str, str, Any, Path], dict[str, str]]


def circleci(scm: str, head: str, fake: Any, folder: Path) -> dict[str, str]:
    """A push: CircleCI knows nothing of the pull request."""
    return {
        "CIRCLECI": "true",
        "CIRCLE_BRANCH": "feature",
        "CIRCLE_SHA1": head,
        "PILOTAGE_CIRCLE_GIT_URL": f"https://{SITE[scm]}/{REPOSITORY[scm]}",
        "PILOTAGE_API_URL": fake.url,
        "BASH_ENV": str(folder / "bash_env"),
    }


def azure(scm: str, head: str, fake: Any, folder: Path) -> dict[str, str]:
    own = scm == "azure"
    return {
        "TF_BUILD": "True",
        "BUILD_REASON": "PullRequest",
        "BUILD_REPOSITORY_PROVIDER": {"azure": "TfsGit", "github": "GitHub", "bitbucket": "Bitbucket"}[scm],
        "BUILD_REPOSITORY_NAME": "shop" if own else REPOSITORY[scm],
        "BUILD_REPOSITORY_URI": f"https://{SITE.get(scm, 'dev.azure.com')}/acme/shop",
        "BUILD_SOURCESDIRECTORY": "/agent/1/s",
        "BUILD_SOURCEVERSION": "c" * 40,
        "SYSTEM_COLLECTIONURI": f"{fake.url}/" if own else "https://dev.azure.com/acme/",
        "SYSTEM_TEAMPROJECT": "Web Shop",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "9007" if scm == "github" else "7",
        "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "7" if scm == "github" else "$(System.PullRequest.PullRequestNumber)",
        "SYSTEM_PULLREQUEST_SOURCECOMMITID": head,
        "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/feature",
        "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main" if own else "main",
        "SYSTEM_PULLREQUEST_ISFORK": "False",
        "AGENT_TEMPDIRECTORY": str(folder),
        **({} if own else {"PILOTAGE_API_URL": fake.url}),
    }


def bitbucket(_: str, head: str, fake: Any, folder: Path) -> dict[str, str]:
    return {
        "BITBUCKET_BUILD_NUMBER": "11",
        "BITBUCKET_REPO_FULL_NAME": "acme/shop",
        "BITBUCKET_PR_ID": "7",
        "BITBUCKET_PR_DESTINATION_BRANCH": "main",
        "BITBUCKET_BRANCH": "feature",
        "BITBUCKET_COMMIT": head,
        "BITBUCKET_CLONE_DIR": str(folder),
        "PILOTAGE_BITBUCKET_PROXY": fake.origin,
        "PILOTAGE_API_URL": fake.url,
    }


def gitlab(_: str, head: str, fake: Any, folder: Path) -> dict[str, str]:
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": fake.url,
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_PROJECT_PATH": "acme/db/shop",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature",
        "CI_COMMIT_SHA": head,
        "CI_PROJECT_DIR": str(folder),
    }


def jenkins(_: str, head: str, fake: Any, folder: Path) -> dict[str, str]:
    """A multibranch job, which builds the merge of the pull request and does not name its head."""
    site = fake.url.removesuffix("/rest/api/1.0")
    return {
        "JENKINS_URL": "https://ci.acme.example/",
        "BUILD_URL": "https://ci.acme.example/job/shop/3/",
        "BRANCH_NAME": "PR-7",
        "CHANGE_ID": "7",
        "CHANGE_TARGET": "main",
        "CHANGE_BRANCH": "feature",
        "CHANGE_URL": f"{site}/projects/ACME/repos/shop/pull-requests/7/overview",
    }


def told(_: str, head: str, fake: Any, folder: Path) -> dict[str, str]:
    """A CI system that nobody knows, with the address of the pull request."""
    site = fake.url.removesuffix("/rest/api/1.0")
    return {"PILOTAGE_SCM_URL": f"{site}/projects/ACME/repos/shop/pull-requests/7"}


def azure_other_git(_: str, head: str, fake: Any, folder: Path) -> dict[str, str]:
    site = fake.url.removesuffix("/rest/api/1.0")
    own = azure("bitbucket", head, fake, folder)
    return {**own, "BUILD_REPOSITORY_PROVIDER": "Git", "BUILD_REPOSITORY_URI": f"{site}/scm/ACME/shop.git"}


PAIRS: list[tuple[Env, str]] = [
    *((env, "datacenter") for env in (jenkins, told, azure_other_git)),
    *((circleci, scm) for scm in ("github", "gitlab", "bitbucket")),
    *((azure, scm) for scm in ("azure", "github", "bitbucket")),
    (bitbucket, "bitbucket"),
    (gitlab, "gitlab"),
]


class Job:
    """One job of a CI system around a repository on an SCM."""

    def __init__(self, env: Env, host: Host, fake: Any, repository: Repository, folder: Path):
        self.env, self.host, self.fake, self.repository, self.folder = env, host, fake, repository, folder
        self.head = repository.git("rev-parse", "HEAD")
        pull = fake.state["pulls"]["7"]
        pull["head"].update(ref="feature", sha=self.head, repo=fake.state["repository"])
        pull["base"].update(sha=repository.git("rev-parse", "main"), repo=fake.state["repository"])
        pull["files"] = [
            {"filename": name, "status": "added", "patch": "@@ -0,0 +1,1 @@\n+x"} for name in ["migrations/2_drop.sql"]
        ]

    def run(self, *flags: str, token: str | None = "", **more: str) -> Done:
        environ = self.env(self.host.name, self.head, self.fake, self.folder)
        said = {"PILOTAGE_TOKEN": token or self.host.tokens["bot"]} if token is not None else {}
        return self.repository.run("ci", *flags, **{"PILOTAGE_DIALECT": "postgres", **environ, **said, **more})


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0].__name__}-{pair[1]}")
def job(request: pytest.FixtureRequest, branch: Branch, tmp_path: Path) -> Any:
    env, name = request.param
    host = BY_NAME[name]
    with host.make() as fake:
        yield Job(env, host, fake, branch(RISKY), tmp_path)
        assert fake.violations == []


def test_a_pull_request_gets_one_comment_a_note_on_the_line_and_a_status_however_often_it_runs(job: Job) -> None:
    for _ in range(2):
        done = job.run()
        assert done.code == 1, done.err
        assert "warning: " not in done.err, done.err
    ((login, body),) = job.host.comments(job.fake)
    assert (login, body.split("\n")[0]) == (job.host.logins["bot"], "<!-- pilotage:v1 key=pilotage -->")
    assert "email" in body
    assert "What this does to the schema (by its text)" in body
    # The others document no diagrams in comments.
    assert ("```mermaid" in body) is (job.host.name in {"github", "gitlab"})
    ((path, line, _),) = job.host.notes(job.fake)
    assert (path, line) == ("migrations/2_drop.sql", 1)
    ((context, state, _),) = job.host.statuses(job.fake)
    assert (context, state) == ("pilotage", "failure")
    assert "lint: pull request #7" in done.err


def test_another_pull_request_that_takes_the_same_version_is_named(job: Job) -> None:
    own = job.fake.state["pulls"]["7"]
    other = {**own, "head": {**own["head"], "ref": "rival", "sha": "d" * 40}}
    other["files"] = [{"filename": "migrations/2_rival.sql", "status": "added", "patch": "@@ -0,0 +1,1 @@\n+x"}]
    job.fake.state["pulls"]["8"] = other
    job.run()
    ((_, body),) = job.host.comments(job.fake)
    assert "pull request #8 brings" in body.replace("\\", "").replace("\u200b", "")
    assert "2_rival.sql" in body.replace("\\", "")


def test_without_a_token_the_verdict_stands_and_one_warning_says_what_one_would_add(job: Job) -> None:
    done = job.run(token=None)
    assert done.code == 1, done.err
    assert "email" in done.out
    assert job.host.comments(job.fake) == []
    assert "token" in done.err
    assert sum(row.startswith("warning: ") for row in done.err.splitlines()) <= 2


def test_an_api_that_is_down_changes_no_verdict(job: Job) -> None:
    from tests.fakes.server import Fault

    job.fake.faults.append(Fault(where=".", status=502, times=1000))
    done = job.run()
    assert done.code == 1, done.err
    assert "Traceback" not in done.err


def circle(branch: Branch, fake: Any, tmp_path: Path) -> Job:
    return Job(circleci, BY_NAME["github"], fake, branch(RISKY), tmp_path)


def test_on_circleci_a_branch_without_a_pull_request_is_linted_against_the_default_branch(
    branch: Branch, tmp_path: Path
) -> None:
    with BY_NAME["github"].make() as fake:
        job = circle(branch, fake, tmp_path)
        fake.state["pulls"].clear()
        done = job.run()
        assert done.code == 1
        assert (
            "lint: branch 'feature', because circleci runs nothing for pull requests; compared with 'main'" in done.err
        )
        assert fake.state["comments"] == []
        assert "export PILOTAGE_VERDICT=fail\n" in (tmp_path / "bash_env").read_text()


def test_on_bitbucket_the_findings_stand_in_code_insights_and_outputs_in_a_file_to_source(
    branch: Branch, tmp_path: Path
) -> None:
    with BY_NAME["bitbucket"].make() as fake:
        job = Job(bitbucket, BY_NAME["bitbucket"], fake, branch(RISKY), tmp_path)
        assert job.run(token=None).code == 1
        (report,) = fake.state["reports"].values()
        assert report["result"] == "FAILED"
        (annotations,) = fake.state["annotations"].values()
        assert {(each["path"], each["line"]) for each in annotations.values()} == {("migrations/2_drop.sql", 1)}
        assert "export PILOTAGE_VERDICT=fail\n" in (tmp_path / ".pilotage" / "outputs.sh").read_text()


@pytest.mark.parametrize("env", [azure, circleci])
def test_a_repository_on_bitbucket_has_its_code_insights_whatever_builds_it(
    branch: Branch, tmp_path: Path, env: Env
) -> None:
    with BY_NAME["bitbucket"].make() as fake:
        done = Job(env, BY_NAME["bitbucket"], fake, branch(RISKY), tmp_path).run()
        assert "warning: " not in done.err
        (report,) = fake.state["reports"].values()
        assert report["result"] == "FAILED"
        (annotations,) = fake.state["annotations"].values()
        assert {(each["path"], each["line"]) for each in annotations.values()} == {("migrations/2_drop.sql", 1)}
        assert fake.violations == []


def test_on_azure_findings_are_issues_and_the_report_is_attached(branch: Branch, tmp_path: Path) -> None:
    with BY_NAME["azure"].make() as fake:
        done = Job(azure, BY_NAME["azure"], fake, branch(RISKY), tmp_path).run()
        assert "##vso[task.logissue type=error;sourcepath=/agent/1/s/migrations/2_drop.sql;linenumber=1;" in done.out
        assert "##vso[task.setvariable variable=verdict;isOutput=true;]fail\n" in done.out
        (attached,) = [row for row in done.out.splitlines() if row.startswith("##vso[task.uploadsummary]")]
        assert "email" in Path(attached.removeprefix("##vso[task.uploadsummary]")).read_text()


def test_a_summary_has_a_diagram_where_the_ci_system_draws_it_whoever_has_the_repository(
    branch: Branch, tmp_path: Path
) -> None:
    with BY_NAME["github"].make() as fake:
        done = Job(azure, BY_NAME["github"], fake, branch(RISKY), tmp_path).run()
        (attached,) = [row for row in done.out.splitlines() if row.startswith("##vso[task.uploadsummary]")]
        summary = Path(attached.removeprefix("##vso[task.uploadsummary]")).read_text()
        ((_, comment),) = BY_NAME["github"].comments(fake)
    assert "```mermaid" in comment
    assert "What this does to the schema" in summary
    assert "```mermaid" not in summary


def test_data_center_is_one_warning_and_no_failure(branch: Branch, tmp_path: Path) -> None:
    with BY_NAME["bitbucket"].make() as fake:
        job = Job(azure, BY_NAME["bitbucket"], fake, branch(RISKY), tmp_path)
        done = job.run(PILOTAGE_API_URL="https://bitbucket.acme.example/rest/api/1.0")
        assert done.code == 1
        (warning,) = [row for row in done.err.splitlines() if row.startswith("warning: ")]
        assert "Data Center" in warning


def test_on_bitbucket_data_center_the_findings_stand_in_code_insights_whatever_builds(
    branch: Branch, tmp_path: Path
) -> None:
    with BY_NAME["datacenter"].make() as fake:
        done = Job(jenkins, BY_NAME["datacenter"], fake, branch(RISKY), tmp_path).run()
        assert done.code == 1, done.err
        (report,) = fake.state["reports"].values()
        assert (report["result"], report["link"]) == ("FAIL", "https://ci.acme.example/job/shop/3/")
        ((row,),) = fake.state["annotations"].values()
        assert (row["path"], row["line"], row["severity"]) == ("migrations/2_drop.sql", 1, "HIGH")
        assert "/projects/ACME/repos/shop/browse/migrations/2%5Fdrop.sql?at=" in fake.state["comments"][0]["body"]
        assert fake.violations == []
