"""Watching a folder: each image that arrives is judged once, its verdict is stored, then delivered to the line.

`command` serves a line's PC, `standing` and `job` serve the dashboard. Both run `run` and store in `history`.
"""
