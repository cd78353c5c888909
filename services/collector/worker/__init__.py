"""Loops of the collector: answers that settle, webhooks that are due."""
