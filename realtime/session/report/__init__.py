"""A recorded session as one HTML file."""
