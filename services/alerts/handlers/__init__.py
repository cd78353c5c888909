"""Events in and people's actions: load, decide, apply, all in the caller's transaction."""
