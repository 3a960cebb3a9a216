"""Unknown image files, decoded in a child process with bounds of processor time and memory."""
