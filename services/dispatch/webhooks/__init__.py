"""What providers report: whether it is theirs, and what it says. No database, no clock."""
