"""Owns the name of the backbone that is used unless another is asked for; it needs no file from elsewhere."""

BUILTIN = "builtin_whole"
