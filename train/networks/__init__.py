"""One file a network, in plain torch, with the parameter names of its public checkpoints."""
