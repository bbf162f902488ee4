"""``hooks:`` is read strictly, names what is wrong, and never repeats an address."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from ci_runner import config
from ci_runner.config import hooks
from ci_runner.config.hooks import Hook, Place
from ci_runner.config.schema import schema
from ci_runner.config.values import Setting
from ci_runner.errors import ConfigError

GOOD = {"name": "team", "kind": "slack", "url": {"env": "TEAM_URL"}}


def read(**more: object) -> Hook:
    (found,) = hooks.parse(Setting([{**GOOD, **more}], "pilotage.yml:3"))
    return found


def test_a_hook_is_read_with_everything_it_can_say() -> None:
    text = """
hooks:
  - name: ledger
    kind: generic
    url: { file: /run/secrets/ledger }
    events: [push.succeeded, "registry.*", "*"]
    dirs: app
    envs: [prod, "tenant-*"]
    only_on_change: on
    include_sql: true
    secret: { env: NEW }
    old_secret: { env: OLD }
    allow_private: true
    ports: [8444]
    proxy: { env: PROXY }
"""
    jsonschema.validate(yaml.safe_load(text), schema())
    (found,) = config.load(config.file.read(text, "pilotage.yml"), {}, {}).hooks
    assert found == Hook(
        name="ledger", kind="generic", url=Place("file", "/run/secrets/ledger"), events=("push.succeeded", "registry.*", "*"), dirs=("app",),
        envs=("prod", "tenant-*"), only_on_change=True, include_sql=True, secret=Place("env", "NEW"), old_secret=Place("env", "OLD"),
        allow_private=True, ports=(8444,), proxy=Place("env", "PROXY"),
    )  # fmt: skip


def test_what_is_not_said_has_its_default() -> None:
    found = read(dirs=None)
    assert (found.events, found.dirs, found.allow_private, found.secret) == (hooks.DEFAULT_EVENTS, (), False, None)


WRONG: dict[str, tuple[object, str]] = {
    "no list": ({"name": "x"}, "must be a list"),
    "too many": ([GOOD] * 51, "at most 50"),
    "no mapping": (["team"], "hook 1"),
    "no name": ([{"kind": "slack", "url": {"env": "A"}}], "needs a name"),
    "odd name": ([{**GOOD, "name": "../x"}], "needs a name"),
    "unknown key": ([{**GOOD, "evnets": []}], "did you mean 'events'"),
    "stranger key": ([{**GOOD, "zzz": 1}], "known are"),
    "unknown kind": ([{**GOOD, "kind": "teams"}], "one of slack, generic"),
    "no url": ([{"name": "x", "kind": "slack"}], "has no url"),
    "literal": ([{**GOOD, "url": "https://hooks.slack.com/services/T/B/secretsecret"}], "in clear"),
    "literal secret": ([{**GOOD, "kind": "generic", "secret": "whsec_secretsecret"}], "in clear"),
    "two places": ([{**GOOD, "url": {"env": "A", "file": "b"}}], "{ env: NAME }"),
    "odd place": ([{**GOOD, "url": {"vault": "a"}}], "{ env: NAME }"),
    "no variable": ([{**GOOD, "url": {"env": "https://secretsecret"}}], "must name a variable"),
    "no file": ([{**GOOD, "url": {"file": ""}}], "must name a file"),
    "unknown event": ([{**GOOD, "events": ["deploy.succeded"]}], "did you mean 'deploy.succeeded'"),
    "no event": ([{**GOOD, "events": []}], "a word or a list"),
    "odd words": ([{**GOOD, "dirs": [1]}], "a word or a list"),
    "odd port": ([{**GOOD, "ports": [70000]}], "port numbers"),
    "odd switch": ([{**GOOD, "only_on_change": "perhaps"}], "true or false"),
    "old without new": ([{**GOOD, "kind": "generic", "old_secret": {"env": "A"}}], "no secret"),
    "signed slack": ([{**GOOD, "secret": {"env": "A"}}], "no signatures"),
    "twice": ([GOOD, {**GOOD, "name": "TEAM"}], "two hooks"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_meant_is_refused_with_its_place_and_without_its_value(what: str) -> None:
    value, words = WRONG[what]
    with pytest.raises(ConfigError) as refused:
        hooks.parse(Setting(value, "pilotage.yml:3"))
    assert words in str(refused.value)
    assert "pilotage.yml:3" in str(refused.value)
    assert "secretsecret" not in str(refused.value)


def test_editors_know_every_key_and_event() -> None:
    shape = json.loads(json.dumps(schema()))["properties"]["hooks"]["items"]
    assert set(shape["properties"]) == set(hooks.KEYS)
    assert shape["properties"]["events"]["oneOf"][0]["enum"] == list(hooks.PATTERNS)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"hooks": [{**GOOD, "url": "https://x"}]}, schema())
