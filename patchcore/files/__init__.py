"""An inspector on disk: the container, its description, and distrust of files from elsewhere."""
