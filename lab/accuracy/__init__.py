"""How well inspectors tell defects from good, on every labelled set below a folder."""
