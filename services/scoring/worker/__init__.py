"""What scoring does by itself: headlines and drops, weekly digests."""
