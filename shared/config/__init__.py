"""Files that operators write, read with the line of every key and checked against a model."""
