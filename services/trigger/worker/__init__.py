"""What trigger does when something is due: plans pass the gate, reminders too, surveys close, programmes are published."""
