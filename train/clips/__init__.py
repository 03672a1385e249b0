"""What a source of clips becomes: the crops and fields that the live process would see, in a cache."""
