"""`python -m patchcore`."""

from patchcore.cli import main

main()
