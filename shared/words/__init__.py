"""What open answers are about and how they are meant, read with a dictionary (R70, R80)."""
