"""`python -m bindrill`."""

from bindrill.cli import main

main()
