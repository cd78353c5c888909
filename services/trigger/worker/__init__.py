"""What trigger does when something is due.

Plans pass the gate, reminders too, surveys close, programmes are published.
"""
