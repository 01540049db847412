"""A whole town in one loop, its clock and its platforms in our hand: what fails, when, and in which order is decided by the test."""
