"""SE-ResNeXt with focal loss on the peak of a movement."""
