"""The directory formats by name; each is a module of its own, imported when a directory is of that format."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from ci_runner.migrations.format import Format

FORMATS = {
    "atlas": "atlas",
    "golang-migrate": "golang_migrate",
    "goose": "goose",
    "flyway": "flyway",
    "liquibase": "liquibase",
    "dbmate": "dbmate",
    "prisma": "prisma",
    "diesel": "diesel",
    "sqlx": "sqlx",
    "supabase": "supabase",
    "drizzle": "drizzle",
}


def load(name: str) -> Format:
    """The format called ``name``, one of FORMATS."""
    return cast("Format", import_module(f"ci_runner.migrations.{FORMATS[name]}").FORMAT)
