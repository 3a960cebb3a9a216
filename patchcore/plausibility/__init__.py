"""Whether a picture shows such a part at all: exposure, sharpness, and what every good image shows."""
