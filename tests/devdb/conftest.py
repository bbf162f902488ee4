"""The servers and images these tests use."""

from tests.images.servers import container_engine, mariadb_image, mariadb_server, postgres_image, postgres_server

__all__ = ["container_engine", "mariadb_image", "mariadb_server", "postgres_image", "postgres_server"]
