"""`python -m patchcore`."""

from patchcore.cli.commands import main

main()
