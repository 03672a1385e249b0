"""What a representation is given, what it makes, and how it says that something does not fit."""
