"""The network that says when an expression is under way."""
