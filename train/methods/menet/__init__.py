"""A network of clips with diverse attention that is to know nothing of who somebody is, which a second network does."""
