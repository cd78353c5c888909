"""What keeps people's data and people's sessions safe.

Sealed personal data with a key per contact, signed tokens, signatures of inbound webhooks, and the accounts,
keys and sessions of those who use Afterword. Alone owns the schemas `keys` and `access`.
"""
