"""Bodies stay within every limit, say the event, and nothing in them comes to life at the receiver."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_runner import notify, render
from ci_runner.errors import ConfigError
from ci_runner.model.events import TYPES, Event
from ci_runner.model.registry import GitFacts
from ci_runner.text import redactor
from tests.docs.pages import ROOT
from tests.notify.world import event, hook

SCHEMA = json.loads((ROOT / "docs" / "event.schema.json").read_text())
NASTY = st.text(max_size=60) | st.sampled_from(
    ["<!channel>", "<@U123>", "<https://evil|x>", "```", "`", "&amp;", "\x1e", "@here", "\\n"]
)
EVENTS = st.builds(
    Event, type=st.sampled_from(TYPES), time=st.just("2026-01-05T09:00:00Z"), id=st.just("ab" * 16), dir=NASTY, env=NASTY,
    outcome=NASTY, exit_code=st.sampled_from([0, 1, 3, 4, 5, 6]), before=NASTY, after=NASTY,
    files=st.lists(NASTY, max_size=30).map(tuple), findings=st.dictionaries(st.sampled_from(["error", "warning"]), st.integers(0, 9)),
    run_url=NASTY | st.just("https://ci.example/run/1?a=b&c=d"), git=st.builds(GitFacts, NASTY, NASTY, NASTY),
    actor=st.fixed_dictionaries({"name": NASTY, "verified": NASTY}), source=NASTY, digest=NASTY,
    error=NASTY | st.text(min_size=2000, max_size=9000), sql=NASTY,
)  # fmt: skip


@given(EVENTS)
def test_every_event_fits_the_published_schema_and_the_limit(told: Event) -> None:
    body = notify.compose(hook(), notify.Secrets("https://x.example"), told, redactor()).body
    assert len(body) < 20_000
    jsonschema.validate(json.loads(body), SCHEMA)


def test_a_long_list_of_files_is_cut_and_says_by_how_many() -> None:
    data = notify.document(event(files=tuple(f"{number:05d}_{'x' * 50}.sql" for number in range(5000))))["data"]
    assert data["truncated"] + len(data["files"]) == 5000
    assert len(data["files"]) > 50


@given(EVENTS)
def test_slack_takes_every_message_and_nothing_in_it_mentions_or_links(told: Event) -> None:
    sent = render.slack(told)
    assert sent["text"]
    assert len(sent["blocks"]) <= 50
    texts = [
        text
        for block in sent["blocks"]
        for text in ([block["text"]] if "text" in block else block.get("fields") or block["elements"])
    ]
    assert sum(len(each["text"]) for each in texts) <= 8_000
    for block in sent["blocks"]:
        assert len(block.get("fields", ())) <= 10
    for each in texts:
        assert 0 < len(each["text"]) <= (150 if each["type"] == "plain_text" else 3_000)
        if each["type"] == "mrkdwn":
            assert each["verbatim"] is True
            assert set(re.findall(r"<[^>]*>?", each["text"])) <= {"<https://ci.example/run/1?a=b&amp;c=d|Open the run>"}
            assert not re.search(r"&(?!amp;|lt;|gt;)", each["text"])
            assert each["text"].count("```") % 2 == 0


def test_a_secret_is_in_no_body() -> None:
    told = event(error="cannot connect to postgres://app:hunter2secret@db/prod, token abcdef123456")
    for kind in ("slack", "generic"):
        body = notify.compose(hook(kind), notify.Secrets("https://x.example"), told, redactor(["abcdef123456"])).body
        assert b"hunter2secret" not in body
        assert b"abcdef123456" not in body


@pytest.mark.parametrize(("wanted", "seen"), [(False, False), (True, True)])
def test_sql_is_told_only_where_the_hook_asks_for_it(wanted: bool, seen: bool) -> None:
    for kind in ("slack", "generic"):
        made = notify.compose(
            hook(kind, include_sql=wanted), notify.Secrets("https://x"), event(sql="ALTER TABLE t"), redactor()
        )
        assert (b"ALTER TABLE t" in made.body) is seen


def test_a_block_of_the_message_can_be_ones_own(tmp_path: Path) -> None:
    (tmp_path / "slack.j2").write_text(
        '{% extends "pilotage/slack.j2" %}{% block headline %}Hey {{ event.dir }}{% endblock %}'
    )
    sent = render.slack(event(dir="<!channel>"), tmp_path)
    assert sent["blocks"][0]["text"]["text"] == "Hey <!channel>"  # plain text, which Slack does not read for mark-up
    assert sent["text"] == "Hey &lt;!channel&gt;"
    assert len(sent["blocks"]) == len(render.slack(event())["blocks"])


@pytest.mark.parametrize(
    "template", ["just text", "{{ event.nothing }}", "{% block x %}", "{{ event.dir ~ event.env }}"]
)
def test_a_template_that_cannot_work_is_named(tmp_path: Path, template: str) -> None:
    (tmp_path / "slack.j2").write_text(template)
    with pytest.raises(ConfigError, match=r"slack\.j2"):
        render.slack(event(), tmp_path)


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_of_event_has_a_headline_of_its_own(kind: str) -> None:
    headline = render.slack(event(kind))["blocks"][0]["text"]["text"]
    assert kind not in headline
    assert headline.split()[0] in "✅❌🟠⚠️⏸️🚀🚨🔔"


def test_an_address_is_kept_as_its_host_and_last_characters() -> None:
    assert notify.place("https://hooks.slack.com/services/T000/B000/abcdefghijklmnop") == "hooks.slack.com …mnop"
    assert notify.place("https://short.example/abc") == "short.example"
    assert notify.place("https://[bad") == "unreadable address"
