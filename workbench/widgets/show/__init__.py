"""The page Show: a demonstration for people who were not in the room."""
