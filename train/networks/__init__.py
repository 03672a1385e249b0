"""Networks that several methods share, in plain torch, with the parameter names of their public checkpoints."""
