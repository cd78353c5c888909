"""What programmes would have done with a history: the same decisions as live, by a simulated clock."""
