"""Media by which scoring tells people; no database."""
