"""What trigger decides, without any input or output: state and time come in, decisions come out."""
