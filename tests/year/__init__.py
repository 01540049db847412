"""A year of a small town through its public faces, and the count of it by hand: `python -m tests.year` lives it and lays both beside each other."""
