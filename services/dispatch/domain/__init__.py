"""What dispatch decides, without input or output: may this go out, how does it read, what follows a failure."""
