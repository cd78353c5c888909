"""Routes of dispatch for programs: what became of messages, links and pending surveys, providers' calls."""
