"""Makes directories of small, plausible migrations, the same ones every time, as a git repository with a branch."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

# One shape after another; {t} is a table's number, {n} the file's. Each file is valid after those before it.
SHAPES = (
    """CREATE TABLE item_{t} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  state varchar(16) NOT NULL DEFAULT 'new',
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX item_{t}_state_idx ON item_{t} (state);
""",
    """-- A remark about what follows; it's quoted 'oddly' on purpose.
ALTER TABLE item_{t} ADD COLUMN note_{n} text;

COMMENT ON COLUMN item_{t}.note_{n} IS 'free words; kept for a year';
""",
    """ALTER TABLE item_{t} ADD COLUMN amount_{n} numeric(12, 2) NOT NULL DEFAULT 0;

ALTER TABLE item_{t} ADD CONSTRAINT amount_{n}_positive CHECK (amount_{n} >= 0) NOT VALID;
""",
    """CREATE INDEX item_{t}_name_{n}_idx ON item_{t} (lower(name));

INSERT INTO item_{t} (name, state) VALUES ('first', 'new'), ('second; with a semicolon', 'old');
""",
    """UPDATE item_{t} SET state = 'archived' WHERE created_at < now() - interval '5 years';

CREATE OR REPLACE VIEW item_{t}_open AS SELECT id, name FROM item_{t} WHERE state <> 'archived';
""",
)

MYSQL = (
    """CREATE TABLE item_{t} (
  id bigint AUTO_INCREMENT PRIMARY KEY,
  name varchar(80) NOT NULL,
  state varchar(16) NOT NULL DEFAULT 'new',
  created_at datetime NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX item_{t}_state_idx ON item_{t} (state);
""",
    "ALTER TABLE item_{t} ADD COLUMN note_{n} text COMMENT 'free words; kept for a year';\n",
    """ALTER TABLE item_{t} ADD COLUMN amount_{n} decimal(12, 2) NOT NULL DEFAULT 0;

ALTER TABLE item_{t} ADD CONSTRAINT amount_{n}_positive CHECK (amount_{n} >= 0);
""",
    """CREATE INDEX item_{t}_name_{n}_idx ON item_{t} (name);

INSERT INTO item_{t} (name, state) VALUES ('first', 'new'), ('second; with a semicolon', 'old');
""",
    """UPDATE item_{t} SET state = 'archived' WHERE created_at < '2020-01-01';

CREATE OR REPLACE VIEW item_{t}_open AS SELECT id, name FROM item_{t} WHERE state <> 'archived';
""",
)
CLICKHOUSE = (
    """CREATE TABLE item_{t} (
  id UInt64,
  name String,
  state LowCardinality(String) DEFAULT 'new',
  created_at DateTime DEFAULT now()
) ENGINE = MergeTree ORDER BY id;
""",
    "ALTER TABLE item_{t} ADD COLUMN note_{n} String COMMENT 'free words; kept for a year';\n",
    """ALTER TABLE item_{t} ADD COLUMN amount_{n} Decimal(12, 2) DEFAULT 0;

ALTER TABLE item_{t} ADD CONSTRAINT amount_{n}_positive CHECK amount_{n} >= 0;
""",
    """ALTER TABLE item_{t} ADD INDEX by_name_{n} name TYPE bloom_filter GRANULARITY 1;

INSERT INTO item_{t} (id, name, state) VALUES (1, 'first', 'new'), (2, 'second; with a semicolon', 'old');
""",
    "CREATE OR REPLACE VIEW item_{t}_open AS SELECT id, name FROM item_{t} WHERE state <> 'archived';\n",
)


def migration(number: int, shapes: Sequence[str] = SHAPES) -> tuple[str, str]:
    """Name and text of file ``number``, from 0."""
    table, shape = divmod(number, len(shapes))
    return f"{20200101000000 + number}_step_{number:05d}.sql", shapes[shape].format(t=table, n=number)


def write(folder: Path, count: int, shapes: Sequence[str] = SHAPES) -> Path:
    """A repository in ``folder``: ``count`` - 1 migrations on main, one more on the branch that is checked out."""
    directory = folder / "migrations"
    directory.mkdir(parents=True)
    for number in range(count - 1):
        name, text = migration(number, shapes)
        (directory / name).write_text(text)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _commit(folder, "released")
    _git(folder, "switch", "--quiet", "--create", "change")
    name, text = migration(count - 1, shapes)
    (directory / name).write_text(text)
    _commit(folder, "change")
    return folder


def small(directory: Path, count: int, tables: int) -> Path:
    """``count`` migrations of one small statement each in ``directory``, without a repository: ``tables`` tables, then rows."""
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        text = f"CREATE TABLE small_{number} (id bigint PRIMARY KEY, name text NOT NULL);\n"
        if number >= tables:
            text = f"INSERT INTO small_0 VALUES ({number}, 'row {number}');\n"
        (directory / f"{20200101000000 + number}_small_{number:05d}.sql").write_text(text)
    return directory


def _commit(folder: Path, message: str) -> None:
    _git(folder, "add", "--all")
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
    _git(folder, *identity, "commit", "--quiet", "--allow-empty", "--message", message)


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)
