"""Configuration files for people to keep: rendered from templates, every value quoted for YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ci_runner.render.environment import folder


def configuration(name: str, values: Mapping[str, object]) -> str:
    """The template ``init/NAME.j2`` with ``values``; the filter ``yaml`` quotes what is foreign."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder().parent / "init"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  # YAML, not HTML: the filter quotes
    )
    environment.filters["yaml"] = _quoted
    return environment.get_template(f"{name}.j2").render(values)


def _quoted(value: object) -> str:
    """A YAML scalar: plain where that is safe beyond doubt, else a JSON string, which YAML reads the same."""
    word = str(value)
    plain = word.isascii() and word[:1].isalnum() and all(c.isalnum() or c in "_-./:?=+@" for c in word)
    doubtful = plain and (
        word.lower() in {"yes", "no", "on", "off", "true", "false", "null"} or word.replace(".", "").isdigit()
    )
    return word if plain and not doubtful and not word.endswith(":") else json.dumps(word, ensure_ascii=False)
