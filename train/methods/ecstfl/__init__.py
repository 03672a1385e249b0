"""Networks of clips with the expression-clustering loss."""
