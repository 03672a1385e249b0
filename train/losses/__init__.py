"""One file a loss. A loss knows tensors, never a method."""
