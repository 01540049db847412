"""Kill the product at any moment, and count what became of every message."""
