"""The servers and images these tests use."""

from tests.images.servers import (
    chdb_home,
    clickhouse_image,
    clickhouse_server,
    container_engine,
    mariadb_image,
    mariadb_server,
    mysql_image,
    mysql_server,
    postgres_image,
    postgres_server,
)

__all__ = [
    "chdb_home",
    "clickhouse_image",
    "clickhouse_server",
    "container_engine",
    "mariadb_image",
    "mariadb_server",
    "mysql_image",
    "mysql_server",
    "postgres_image",
    "postgres_server",
]
