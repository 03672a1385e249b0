"""A recurrent head over the encoder's embeddings, for expressions of any length."""
