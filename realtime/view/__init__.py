"""The page: a subscriber that knows nothing of the pipeline."""
