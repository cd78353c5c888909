"""What alerts decides, without input or output: state and time come in, decisions come out."""
