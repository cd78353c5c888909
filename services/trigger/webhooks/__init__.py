"""Foreign requests as touchpoints: one module a sender, no database. The routes are in `api/webhooks.py`."""
