"""The servers these tests talk to."""

from tests.images.servers import mariadb_server, postgres_server

__all__ = ["mariadb_server", "postgres_server"]
