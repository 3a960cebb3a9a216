"""Owns the name of the default backbone; its weights come with the installation."""

DEFAULT = "efficientnet_lite2"
