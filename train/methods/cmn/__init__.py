"""The contrastive magnification network."""
