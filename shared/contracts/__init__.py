"""The events between the services: payload models, topics, envelope, closed reasons, examples."""
