"""What the five services stand on; it knows none of them."""
