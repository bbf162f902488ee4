#!/bin/sh
# One deployment from a container: nothing of this machine is shared with it but the address of the database and the cloud's credentials.
# Wants: PILOTAGE_DATABASE_URL, and for a registry in a bucket the cloud's own variables.
set -eu
IMAGE=${IMAGE:-ghcr.io/pilotage-ci/pilotage:0.1.0@sha256:0000000000000000000000000000000000000000000000000000000000000000}
exec docker run --rm --read-only --tmpfs /tmp --user 65532:65532 --cap-drop ALL --security-opt no-new-privileges \
  --stop-timeout 60 --env HOME=/tmp --env PILOTAGE_DATABASE_URL --env PILOTAGE_REGISTRY \
  --env AWS_ACCESS_KEY_ID --env AWS_SECRET_ACCESS_KEY --env AWS_SESSION_TOKEN --env AWS_REGION \
  ${DOCKER_OPTIONS:-} "$IMAGE" deploy "$@"
