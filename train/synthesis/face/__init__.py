"""A picture or a rendered head that moves as a 3-D head does."""
