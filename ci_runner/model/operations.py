"""What one statement does to a schema, in the vocabulary of Alembic and Django.

``kind`` is the published name (``alter-table.add-column``; the list is in ``docs/explain.md``). An operation that changes the
catalog has a class of its own; one that a rule or the explain table only needs to know of is an :class:`Other`. A statement
that was not understood yields no operation and a reason (:class:`Statement`).

Names are folded by the dialect's identifier rules already; ``schema`` is "" where the statement does not say one, and all that
stands before the last dot where it says more (``db.dbo``). PostgreSQL folds to lower case, Redshift too and even what is quoted, Snowflake to
upper case. MySQL, MariaDB, SQLite and SQL Server compare without regard to case: names of tables and other objects stay as written
there (comparing is the catalog's work), names of columns are lower case. ClickHouse keeps everything as written.
"""

# Annotations are values here, not texts: who reads packed statements would have each text evaluated, which takes as long as reading 700.
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct


class Name(NamedTuple):
    """A folded, possibly schema-qualified name."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


class Type(Struct, frozen=True, omit_defaults=True):
    """A column type: ``base`` lower case without arguments (``varchar``, ``double precision``), ``args`` as written.

    ``text`` is the type as written. ``suffix`` holds what follows the arguments in lower case (``unsigned``, ``with time zone``, ``[]``).
    """

    base: str
    args: tuple[str, ...] = ()
    suffix: str = ""
    text: str = ""


class Reference(Struct, frozen=True, omit_defaults=True):
    """The far side of a foreign key; actions in lower case, "" when not given."""

    table: Name
    columns: tuple[str, ...] = ()
    on_delete: str = ""
    on_update: str = ""


class Column(Struct, frozen=True, omit_defaults=True):
    """A column definition; ``default`` and ``check`` are source text, ``nullable`` is None where the statement does not say."""

    name: str
    type: Type | None
    nullable: bool | None = None
    default: str | None = None
    generated: str = ""  # "", "stored", "virtual"
    identity: bool = False  # IDENTITY, AUTO_INCREMENT, serial
    primary_key: bool = False
    unique: bool = False
    references: Reference | None = None
    check: str | None = None
    charset: str = ""
    collation: str = ""
    position: str = ""  # "first", "after x" (MySQL)
    options: tuple[
        str, ...
    ] = ()  # dialect extras, lower case: "with values", "rowversion", "codec", "ttl", "on update"
    constraint: str = ""  # name given to an inline constraint, the first one


class Constraint(Struct, frozen=True, omit_defaults=True):
    """A table constraint. ``kind``: primary-key, unique, foreign-key, check, exclusion, not-null."""

    kind: str
    name: str = ""
    columns: tuple[str, ...] = ()
    references: Reference | None = None
    expression: str = ""
    not_valid: bool = False  # NOT VALID (PostgreSQL), WITH NOCHECK (SQL Server)
    using_index: str = ""
    enforced: bool = True
    options: tuple[str, ...] = ()  # lower case: "online", "nulls not distinct", "deferrable"


class Index(Struct, frozen=True, omit_defaults=True):
    """An index definition; ``columns`` are folded names or expression text; ``options`` lower case ("online", "algorithm=inplace", "lock=none")."""

    name: str
    columns: tuple[str, ...] = ()
    unique: bool = False
    method: str = ""
    where: str = ""
    include: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class Operation(Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="is"):
    """What every operation says of itself; ``start`` and ``end`` are character offsets into the migration's text.

    ``conditional``: inside an IF guard or a DO block's branch. ``options``: statement-level extras in lower case
    (``algorithm=instant``, ``lock=none``, ``on cluster``, ``cascade``, ``online``). ``comments`` are those of the inner statement
    when the operation stands inside a DO block, a guard or an anonymous block, as (text, start offset).
    """

    kind: str
    start: int
    end: int
    conditional: bool = False
    options: tuple[str, ...] = ()
    comments: tuple[tuple[str, int], ...] = ()


class CreateTable(Operation, frozen=True, kw_only=True):
    """CREATE TABLE in all its forms; ``source`` is the table of LIKE / CLONE / AS table, ``selects`` says AS SELECT.

    ``values`` is the select list of AS SELECT as source text, where it has one.
    """

    table: Name
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    if_not_exists: bool = False
    or_replace: bool = False
    temporary: bool = False
    source: Name | None = None
    selects: bool = False
    partition_of: Name | None = None
    inherits: tuple[Name, ...] = ()
    partition_by: str = ""  # text after PARTITION BY
    engine: str = ""
    order_by: tuple[str, ...] = ()  # ClickHouse sort key, Redshift SORTKEY
    charset: str = ""
    values: tuple[str, ...] = ()


class DropTable(Operation, frozen=True, kw_only=True):
    """DROP TABLE; one operation for all names of the statement."""

    tables: tuple[Name, ...]
    if_exists: bool = False


class RenameTable(Operation, frozen=True, kw_only=True):
    """A table under a new name; ``new.schema`` "" means the same schema. Also SET SCHEMA (kind alter-table.set-schema)."""

    table: Name
    new: Name


class AddColumn(Operation, frozen=True, kw_only=True):
    """ALTER TABLE … ADD COLUMN."""

    table: Name
    column: Column
    if_not_exists: bool = False


class DropColumn(Operation, frozen=True, kw_only=True):
    """ALTER TABLE … DROP COLUMN."""

    table: Name
    column: str
    if_exists: bool = False


class RenameColumn(Operation, frozen=True, kw_only=True):
    """A column under a new name."""

    table: Name
    column: str
    new: str


class AlterColumnType(Operation, frozen=True, kw_only=True):
    """A column's type, or with ``definition`` its whole definition (MySQL MODIFY / CHANGE, SQL Server, ClickHouse)."""

    table: Name
    column: str
    type: Type
    using: str = ""
    collation: str = ""
    definition: Column | None = None


class AlterColumn(Operation, frozen=True, kw_only=True):
    """One property of a column: kinds set-not-null, drop-not-null, set-column-default, drop-column-default, add-identity, drop-expression …"""

    table: Name
    column: str
    default: str | None = None


class AddConstraint(Operation, frozen=True, kw_only=True):
    """ADD CONSTRAINT / PRIMARY KEY / FOREIGN KEY / UNIQUE / CHECK on an existing table."""

    table: Name
    constraint: Constraint


class DropConstraint(Operation, frozen=True, kw_only=True):
    """``constraint_kind`` is "" where the statement does not say (DROP CONSTRAINT x): the catalog knows; ``columns`` where it names no other way."""

    table: Name
    name: str
    constraint_kind: str = ""
    if_exists: bool = False
    columns: tuple[str, ...] = ()


class ValidateConstraint(Operation, frozen=True, kw_only=True):
    """VALIDATE CONSTRAINT, WITH CHECK CHECK CONSTRAINT."""

    table: Name
    name: str


class RenameConstraint(Operation, frozen=True, kw_only=True):
    """RENAME CONSTRAINT."""

    table: Name
    name: str
    new: str


class CreateIndex(Operation, frozen=True, kw_only=True):
    """CREATE INDEX, and MySQL's ALTER TABLE … ADD INDEX / UNIQUE / FULLTEXT."""

    table: Name
    index: Index
    concurrently: bool = False
    only: bool = False
    if_not_exists: bool = False


class DropIndex(Operation, frozen=True, kw_only=True):
    """DROP INDEX; ``table`` where the dialect names it. ``indexes`` are qualified where the statement qualifies them."""

    indexes: tuple[Name, ...]
    table: Name | None = None
    concurrently: bool = False
    if_exists: bool = False


class RenameIndex(Operation, frozen=True, kw_only=True):
    """An index under a new name."""

    index: Name
    new: str
    table: Name | None = None


class CreateEnum(Operation, frozen=True, kw_only=True):
    """CREATE TYPE … AS ENUM."""

    type: Name
    values: tuple[str, ...]


class AlterEnum(Operation, frozen=True, kw_only=True):
    """ADD VALUE (kind alter-type.add-value), RENAME VALUE (alter-type.rename-value; ``value`` → ``new``)."""

    type: Name
    value: str
    new: str = ""
    before: str = ""
    after: str = ""


class CreateDomain(Operation, frozen=True, kw_only=True):
    """CREATE DOMAIN; ``definition`` is what a column of it is, with the names of its constraints among its options ("" for one without)."""

    domain: Name
    definition: Column


class CreateFunction(Operation, frozen=True, kw_only=True):
    """CREATE FUNCTION / PROCEDURE; ``volatility`` immutable, stable or volatile."""

    function: Name
    volatility: str = "volatile"


class CreateView(Operation, frozen=True, kw_only=True):
    """CREATE [MATERIALIZED] VIEW; ``reads`` are the names its query mentions, as far as they are known.

    ``names`` are the columns it names (SQLite): ``table.column``, or ``column@t,u/v`` with the tables to look it up in, innermost first.
    """

    view: Name
    materialized: bool = False
    or_replace: bool = False
    reads: tuple[Name, ...] = ()
    names: tuple[str, ...] = ()


class CreateTrigger(Operation, frozen=True, kw_only=True):
    """SQLite's CREATE TRIGGER: the table it stands ``on``, the tables its body touches, the columns it names as a view's are."""

    object: Name
    on: Name
    reads: tuple[Name, ...] = ()
    names: tuple[str, ...] = ()


class DropObjects(Operation, frozen=True, kw_only=True):
    """DROP of views, types, schemas, functions, sequences …: the kind says which (drop-view, drop-schema …)."""

    names: tuple[Name, ...]
    if_exists: bool = False


class RenameObject(Operation, frozen=True, kw_only=True):
    """Rename of a schema, type, view, sequence: kinds rename-schema, rename-type, rename-view …"""

    name: Name
    new: Name


class Partition(Operation, frozen=True, kw_only=True):
    """ATTACH, DETACH, DROP, TRUNCATE, EXCHANGE PARTITION …; ``partition`` is the child table (PostgreSQL) or partition name."""

    table: Name
    partition: Name
    bounds: str = ""
    concurrently: bool = False


class Dml(Operation, frozen=True, kw_only=True):
    """INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY; ``tables`` written to, ``reads`` read from, ``where`` says there is a filter.

    ``columns`` and ``values`` are INSERT's column list and the select list's or first row's expressions as source text.
    """

    tables: tuple[Name, ...]
    reads: tuple[Name, ...] = ()
    where: bool = False
    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class Setting(Operation, frozen=True, kw_only=True):
    """SET name = value, PRAGMA, set_config(); names in lower case. ``scope``: "", local, session, global."""

    name: str
    value: str
    scope: str = ""


class Transaction(Operation, frozen=True, kw_only=True):
    """transaction.begin, .commit, .rollback, .savepoint, .release."""


class Other(Operation, frozen=True, kw_only=True):
    """Understood, and of no effect on the catalog; ``object`` is what it concerns, as far as it has a name, ``objects`` all of several."""

    object: Name | None = None
    objects: tuple[Name, ...] = ()


if TYPE_CHECKING:
    AnyOperation = Operation
else:  # what one may be, for whoever reads packed statements: each says its class
    AnyOperation = reduce(or_, Operation.__subclasses__())


class Statement(Struct, frozen=True, omit_defaults=True):
    """One statement of a migration: its span (character offsets), text as the database gets it, lines from 1, and what it does.

    ``comments`` are the comments that belong to it (above and trailing) as (text, start offset). ``not_analysed`` is the reason
    when it yields no operation, or when a part of what it runs could not be read (EXECUTE of a built string inside a DO block).
    ``transaction`` overrides the file's mode where the format decides per changeset. ``batch`` counts the batches that GO ends,
    from 0; ``repeat`` is GO's count.
    """

    start: int
    end: int
    text: str
    line: int
    end_line: int
    operations: tuple[AnyOperation, ...] = ()
    not_analysed: str | None = None
    comments: tuple[tuple[str, int], ...] = ()
    transaction: str | None = None
    data: str | None = None  # inline COPY data that follows the statement
    batch: int = 0
    repeat: int = 1
