"""Cameras, streams, recordings and cameras elsewhere -> Frames, stamped as they are grabbed."""
