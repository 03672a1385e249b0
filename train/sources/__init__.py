"""Sources of clips: data sets that were recorded, and faces that were moved; who is trained on, and who is tested."""
