"""The sample stream that comes with Glimpse, its truth, and what was found in it."""
