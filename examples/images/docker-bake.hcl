// Give these as variables of the step's environment.
variable "REGISTRY" {
  default = "ghcr.io/my-team"
}
variable "VERSION" {
  default = "dev"
}
variable "BASE_IMAGE" {
  default = "busybox:1.37"
}

group "default" {
  targets = ["service"]
}

target "base" {
  context = "base"
  args = {
    BASE_IMAGE = BASE_IMAGE
  }
}

// Four targets: backend, data-pipeline, frontend, ml-service.
target "service" {
  name = service
  matrix = {
    service = ["backend", "data-pipeline", "frontend", "ml-service"]
  }
  context = "services/${service}"
  contexts = {
    base = "target:base"
  }
  args = {
    BASE    = "base"
    VERSION = VERSION
  }
  tags = ["${REGISTRY}/${service}:${VERSION}"]
}
