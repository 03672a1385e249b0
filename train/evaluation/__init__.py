"""How good a method is: protocols, folds, pooled predictions, scores and their report."""
