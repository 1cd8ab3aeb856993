"""The image, built and run without a registry: `make image-check`."""
