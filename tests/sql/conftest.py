"""The servers the catalog is held to."""

from tests.devdb.opening import connection
from tests.images.servers import mariadb_server

__all__ = ["connection", "mariadb_server"]
