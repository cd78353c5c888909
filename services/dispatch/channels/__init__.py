"""The media by which a message reaches a person. No database; a failure says whether repeating can help."""
