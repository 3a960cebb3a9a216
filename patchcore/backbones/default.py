"""Owns the name of the backbone that is used unless another is asked for; its weights come with the installation."""

DEFAULT = "efficientnet_lite2"
