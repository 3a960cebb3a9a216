"""Files that a person brings to a page: uploaded, from a folder of this computer, or a sample."""
