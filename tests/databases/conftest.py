"""The servers these tests talk to."""

from tests.images.servers import (
    chdb_home,
    clickhouse_image,
    clickhouse_server,
    container_engine,
    mariadb_server,
    mysql_image,
    mysql_server,
    postgres_server,
    snowflake_server,
    snowflake_url,
)

__all__ = [
    "chdb_home",
    "clickhouse_image",
    "clickhouse_server",
    "container_engine",
    "mariadb_server",
    "mysql_image",
    "mysql_server",
    "postgres_server",
    "snowflake_server",
    "snowflake_url",
]
