"""What engines are fed with, and what that is made of: the only makers of an input, live and in training."""
