# The image behind the GitHub Action and every other wrapper: Python, git, Pilotage with all its drivers, nothing else.
# It has no USER line, because GitHub's command files belong to root, and works under any other user as well.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# image: what most need. full: the drivers of Redshift and Snowflake, the engine of ClickHouse and the grammar of T-SQL as well.
ARG REQUIREMENTS=image
WORKDIR /src
# Every package is named with its hash; pip refuses anything else. Bytecode is made last, without the time of the build in it: two builds
# are the same bytes, and a layer whose times were set (--timestamp) does not make Python compile everything at every start.
COPY requirements requirements
RUN python3 -m venv /opt/build \
 && /opt/build/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/build.txt \
 && python3 -m venv /opt/pilotage \
 && /opt/pilotage/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-compile --require-hashes --only-binary :all: -r requirements/${REQUIREMENTS}.txt
COPY pyproject.toml README.md LICENSE ./
COPY scripts/prune.py scripts/prune.py
COPY ci_runner ci_runner
COPY templates templates
RUN /opt/build/bin/python -m pip wheel --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/pilotage/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-compile --no-deps --no-index /dist/*.whl \
 && /opt/pilotage/bin/python -m pip uninstall --quiet --yes pip setuptools \
 && python3 scripts/prune.py "$(/opt/pilotage/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && python3 -m compileall -q -f --invalidation-mode unchecked-hash /opt/pilotage/lib

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Pilotage" \
      org.opencontainers.image.description="Lints, replays, versions and registers directories of SQL migrations" \
      org.opencontainers.image.licenses="Apache-2.0"
# git names the base of a change. The version is the distribution's: its security updates must reach the image; of what comes with it
# nobody reads the manuals and the messages in other languages.
# hadolint ignore=DL3008
RUN command -v git >/dev/null \
 || { apt-get update && apt-get install --yes --no-install-recommends git \
   && rm -rf /var/lib/apt/lists/* /usr/share/doc /usr/share/man /usr/share/locale; }
# A name for the user that examples run it as: PostgreSQL's initdb, for one, asks for it.
RUN echo 'pilotage:x:65532:65532:Pilotage:/tmp:/usr/sbin/nologin' >> /etc/passwd
COPY --from=build /opt/pilotage /opt/pilotage
ENV PATH=/opt/pilotage/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /work
ENTRYPOINT ["pilotage"]
CMD ["ci"]
