"""Ways out of the house; no database."""
