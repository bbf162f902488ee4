# What `docker buildx bake` builds for a release: the image and its -full sibling, each for two processors, with SBOM and provenance.
variable "IMAGE" {
  default = "ghcr.io/pilotage-ci/pilotage"
}

variable "VERSION" {
  default = "dev"
}

group "default" {
  targets = ["image", "full"]
}

target "image" {
  context    = "."
  dockerfile = "Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  tags       = ["${IMAGE}:${VERSION}"]
  attest     = ["type=sbom", "type=provenance,mode=max"]
}

target "full" {
  inherits = ["image"]
  args     = { REQUIREMENTS = "full" }
  tags     = ["${IMAGE}:${VERSION}-full"]
}
