"""From good images to stored features, and from stored features to a bank."""
