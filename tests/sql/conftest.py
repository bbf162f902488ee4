"""The server the catalog is held to."""

from tests.images.servers import mariadb_server

__all__ = ["mariadb_server"]
