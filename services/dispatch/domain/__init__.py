"""What dispatch decides, without I/O: may this go out, how does it read, what follows a failure."""
