"""Watching a folder: images that arrive in it are judged once each, the verdict is kept, then told to a line.

`command` is for a line's PC, `standing` and `job` for the dashboard; both work by `run` and keep in `history`.
"""
