"""Draws the pictures under docs/images anew from the examples the tests use; needs Chromium for the comment."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.text import Text  # noqa: E402

from ci_runner import render  # noqa: E402
from ci_runner.render.svg import svg  # noqa: E402
from tests.report import examples  # noqa: E402


def screenshot(html: str, target: Path, width: int, height: int) -> None:
    """The page as PNG, drawn by headless Chromium with a profile of its own."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("Chromium is missing: apt-get install chromium fonts-noto-color-emoji")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "page.html")
        source.write_text(html, encoding="utf-8")
        quiet = "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                *quiet.split(),
                f"--window-size={width},{height}",
                "--hide-scrollbars",
                f"--user-data-dir={folder}/profile",
                f"--screenshot={target}",
                source.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )


def terminal(ansi: str, width: int) -> str:
    """Terminal output as SVG."""
    console = Console(record=True, width=width, file=StringIO(), force_terminal=True)
    for row in ansi.splitlines():
        console.print(Text.from_ansi(row), soft_wrap=True)
    svg = console.export_svg(title="pilotage lint", unique_id="pilotage")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # no fonts from elsewhere


def icons() -> None:
    """The icon in the sizes the Azure marketplace wants."""
    drawer = shutil.which("rsvg-convert")
    if drawer is None:
        raise SystemExit("rsvg-convert is missing: apt-get install librsvg2-bin")
    for target, size in (("images/icon.png", "128"), ("pilotage/icon.png", "32")):
        path = ROOT / "wrappers" / "azure-devops" / target
        subprocess.run([drawer, "-w", size, "-h", size, str(IMAGES / "icon.svg"), "-o", str(path)], check=True)


def main() -> None:
    """Draws all of them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    icons()
    run = examples.risky()
    drawn = run.reports[0].replay.diagram
    assert drawn is not None
    comment = render.comment(run, report_link="https://github.com/acme/shop/actions/runs/1", links=examples.links)
    screenshot(render.page(comment, said="commented"), IMAGES / "comment.png", 960, 1960)
    (IMAGES / "change.svg").write_text(svg(drawn), encoding="utf-8")
    shop = [
        sys.executable,
        "-m",
        "ci_runner",
        "schema",
        "--dir",
        "examples/shop/db/shop",
        "--dialect",
        "postgres",
        "--format",
        "svg",
    ]
    subprocess.run([*shop, "--output", str(IMAGES / "schema.svg")], cwd=ROOT, check=True, capture_output=True)
    (IMAGES / "terminal.svg").write_text(terminal(render.text(run, colour=True, width=110), 110), encoding="utf-8")


if __name__ == "__main__":
    main()
