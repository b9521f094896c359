"""`python -m registre.cli`, the same as the command `registre`."""

from registre.cli import main

main()
