"""Sessions that visitors record: written in private, offered as a zip for a while, then removed."""
