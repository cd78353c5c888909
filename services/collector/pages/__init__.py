"""The pages that customers see: questions, thanks, and plain words when a link no longer works."""
