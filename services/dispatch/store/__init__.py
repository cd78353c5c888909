"""Every SQL statement of dispatch: set-based, in the caller's transaction, deciding nothing."""
