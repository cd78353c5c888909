"""HTTP for programs: answers in, answers out, and what people may look at and decide."""
