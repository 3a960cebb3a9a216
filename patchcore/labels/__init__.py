"""What names say: the words for good parts and defects, and the folders and columns of labelled sets."""
