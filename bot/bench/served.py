"""`madoguchi serve` as the benchmark starts it: the very same command."""

import sys

from bot.cli import main

if __name__ == "__main__":
    sys.argv[1:] = ["serve"]
    main()
