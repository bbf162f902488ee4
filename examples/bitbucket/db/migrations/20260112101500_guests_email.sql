-- atlas:txmode none

CREATE UNIQUE INDEX CONCURRENTLY guests_email ON guests (email);
