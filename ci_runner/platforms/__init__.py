"""Which CI system this is, why it ran, and where its outlets are: the door to five platforms and to a plain machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.errors import UsageError
from ci_runner.model.ci import Annotation, Status, Trigger
from ci_runner.platforms import addresses, facts

Env = Mapping[str, str]
Read = Callable[[str], bytes]


class Platform(Protocol):
    """Where a CI system takes text; every method returns warnings, what could not be said and why, and never raises for them."""

    @property
    def name(self) -> str:
        """The platform's name, as in the trigger."""

    def annotate(self, annotations: Sequence[Annotation], status: Status | None = None) -> tuple[str, ...]:
        """Show messages beside lines; the worst first, as many as the platform takes, then how many more there are.

        ``status`` is the verdict, for platforms that put both into one report."""

    def summarise(self, markdown: str) -> tuple[str, ...]:
        """Put Markdown on the page of the run, where the platform has one."""

    def output(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Hand values to later steps under these names."""

    def log(self, text: str) -> None:
        """Print foreign text (SQL, database messages) so that no line of it is taken for a command."""


class Entry(Struct, frozen=True):
    """One platform: its marker in the environment as shown to people, and whether it is there."""

    name: str
    marker: str
    present: Callable[[Env], bool]


# Order is precedence only where PILOTAGE_PLATFORM says nothing and one marker is found; two markers are refused.
TABLE = (
    Entry("github", "GITHUB_ACTIONS=true", lambda env: env.get("GITHUB_ACTIONS") == "true"),
    Entry(
        "gitlab",
        "GITLAB_CI=true or CI_API_V4_URL with CI_PROJECT_ID",
        lambda env: env.get("GITLAB_CI") == "true" or bool(env.get("CI_API_V4_URL") and env.get("CI_PROJECT_ID")),
    ),
    Entry("bitbucket", "BITBUCKET_BUILD_NUMBER", lambda env: bool(env.get("BITBUCKET_BUILD_NUMBER"))),
    Entry("azure", "TF_BUILD=True", lambda env: env.get("TF_BUILD", "").lower() == "true"),
    Entry("circleci", "CIRCLECI=true", lambda env: env.get("CIRCLECI") == "true"),
)
LOCAL = "local"
NAMES = (*(entry.name for entry in TABLE), LOCAL)


def detect(env: Env) -> str:
    """The platform's name: PILOTAGE_PLATFORM, else the one whose marker is there, else ``local``.

    Raises UsageError for an unknown name and for two platforms at once, naming both markers.
    """
    said = facts.text(env, "PILOTAGE_PLATFORM")
    if said:
        name = said.lower()
        if name not in NAMES:
            from difflib import get_close_matches

            close = get_close_matches(name, NAMES, 1)
            hint = f" — did you mean '{close[0]}'?" if close else ""
            raise UsageError(f"PILOTAGE_PLATFORM names the unknown platform '{said}'{hint} (one of {', '.join(NAMES)})")
        return name
    found = [entry for entry in TABLE if entry.present(env)]
    if len(found) > 1:
        markers = " and ".join(f"{entry.marker} ({entry.name})" for entry in found)
        raise UsageError(
            f"this environment looks like {len(found)} CI systems at once: {markers}; say which one with --platform or PILOTAGE_PLATFORM"
        )
    return found[0].name if found else LOCAL


def trigger(env: Env, read: Read) -> Trigger:
    """Why CI ran, from environment and event file alone.

    ``read`` gives the bytes of a path named in the environment (OSError where there is none). PILOTAGE_SCM_URL, the address of the
    repository or of the pull request, tells what the environment does not; PILOTAGE_API_URL is for SCMs whose API lies where nobody
    would look. Raises UsageError where the platform is ambiguous, its event file is not JSON, or PILOTAGE_SCM_URL is no such address.
    """
    name = detect(env)
    found: Trigger = import_module(f"ci_runner.platforms.{name}").trigger(env, read)
    said = facts.text(env, "PILOTAGE_SCM_URL")
    if said:
        found = _at(found, said, env)
    api = facts.text(env, "PILOTAGE_API_URL")
    return replace(found, api_url=api) if api else found


def _at(found: Trigger, said: str, env: Env) -> Trigger:
    """The trigger with what an address tells in place of what the environment did; with a number it is about that pull request."""
    place = addresses.read(said, found.scm) or addresses.read(said)
    if place is None or place.scm is None:
        raise UsageError(
            f"PILOTAGE_SCM_URL is no address of a repository or pull request whose SCM can be told: {said[:100]!r}; "
            "give that of the pull request's page, for example https://git.acme.example/projects/KEY/repos/slug/pull-requests/7"
        )
    about = {"pull_request": place.number, "kind": "pull_request", "is_fork": None} if place.number else {}
    if place.number and place.number != found.pull_request:
        about |= {"head_sha": None, "base_sha": None, "base_branch": None, "head_branch": None}
    where = {"scm": place.scm, "repository": place.repository, "api_url": place.api, "server_url": place.server}
    return replace(found, **where, **about, token=facts.token(env, place.scm))


def inputs(env: Env, name: str) -> dict[str, str]:
    """What the wrapper was given, as option name → value; an empty input is one that was not given.

    GitHub and Azure hand inputs over as INPUT_*, the others as PILOTAGE_*, which the configuration reads itself.
    """
    if name not in {"github", "azure"}:
        return {}
    given = {key: facts.text(env, key) for key in env if key.startswith("INPUT_")}
    return {key[6:].lower().replace("-", "_"): value for key, value in given.items() if value is not None}


def open(name: str, env: Env, write: Callable[[str], None], random: Callable[[], str]) -> Platform:  # noqa: A001
    """The outlets of the platform ``name``.

    ``write`` puts text on the CI log, newline included; ``random`` gives a fresh unguessable word of at least 128 bits.
    """
    module = import_module(f"ci_runner.platforms.{name}")
    found: Platform = module.outlets(env, write, random)
    return found


def of_scm(trigger: Trigger, token: str | None, write: Callable[[str], None]) -> Platform | None:
    """Where findings stand on a commit of an SCM whose own CI system is not the one that runs; None where it has no such place.

    Only Bitbucket keeps a report with its commits that any CI system may write.
    """
    if trigger.scm != "bitbucket" or trigger.platform == "bitbucket" or not (token and trigger.repository):
        return None
    if (trigger.api_url or "").endswith("/rest/api/1.0"):
        from ci_runner.platforms import datacenter_outlets

        return datacenter_outlets.elsewhere(trigger, token, write)
    from ci_runner.platforms.bitbucket_outlets import elsewhere

    return elsewhere(trigger, token, write)
