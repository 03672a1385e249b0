"""The encoder of still expressions."""
