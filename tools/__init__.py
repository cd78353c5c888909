"""Tools of the workshop: they write and check documents, and are no part of what is shipped."""
