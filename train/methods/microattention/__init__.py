"""A residual network with attention in each unit that learns from macro-expressions first, then from apex frames."""
