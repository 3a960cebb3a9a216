"""From good images to stored features, and from these to a bank."""
