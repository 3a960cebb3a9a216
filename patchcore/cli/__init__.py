"""The command line: `python -m patchcore`."""
