"""The apex and the time around it, by two streams that are joined (ATNet)."""
