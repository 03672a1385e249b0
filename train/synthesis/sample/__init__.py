"""The sample stream that comes with Glimpse."""
