"""`madoguchi serve` as the benchmark starts it: the same command, quiet."""

from bot.cli import app

if __name__ == "__main__":
    app(["serve"])
