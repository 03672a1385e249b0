"""Long films, what happens in them, and how well that is found."""
