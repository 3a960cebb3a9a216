"""What users hand in: named sets of images, and the look at them before a build."""
