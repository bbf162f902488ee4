"""``python -m ci_runner`` and the ``pilotage`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:  # answered before anything heavy is imported
        from ci_runner import __version__

        print(f"pilotage {__version__}")  # noqa: T201
        return
    from ci_runner.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
