"""ClickHouse's engine in a process of its own: a line of JSON with a statement comes in, a line of JSON with its outcome goes out.

Started by file name; the engine is loaded within a closed file system, then everything else is given up.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROW_LIMIT = 64 * 1024 * 1024
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/sys/devices/system/cpu", "/sys/fs/cgroup", "/proc/self")


def main(folder: str, home: str) -> None:
    """Serve until standard input ends. The first line out says what could not be closed, or why the engine does not start.

    ``folder`` is of the engine alone, ``home`` where its package lies.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    try:
        connection, left_open = _engine(folder, home)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to be told in words
        _say(answers, {"error": f"{type(error).__name__}: {error}"})
        return
    _say(answers, {"open": left_open})
    for line in sys.stdin:
        request = json.loads(line)
        _say(answers, _answer(connection, request["sql"], rows=request["rows"]))


def _engine(folder: str, home: str) -> tuple[Any, list[str]]:
    confine = _beside("confine")
    sys.path.insert(0, home)
    os.chdir(folder)
    left_open = confine.close_files(folder, (home, f"{sys.base_prefix}/lib", *LIBRARIES))
    import chdb
    import chdb.state  # it would be loaded by the first connection, when this process may no longer read it

    left_open += confine.give_up()
    return chdb.connect(str(Path(folder) / "data")), left_open


def _beside(name: str) -> ModuleType:
    """A module of this folder by its file: the package it belongs to is not loaded here."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"{name}.py cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _answer(connection: Any, sql: str, *, rows: bool) -> dict[str, Any]:
    try:
        result = connection.query(sql, "JSONCompactEachRow" if rows else "Null")
        data = result.bytes() if rows else b""
    except Exception as error:  # noqa: BLE001 - the engine's refusals have no common class of their own
        return {"error": str(error)}
    if len(data) > ROW_LIMIT:
        return {"error": f"Code: 396. DB::Exception: more than {ROW_LIMIT >> 20} MiB of rows"}
    return {"rows": data.decode("utf-8", "replace")}


def _say(answers: Any, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
