"""Images: any file to float32 RGB, to the network's input, and back to the original's pixels."""
