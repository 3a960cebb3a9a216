"""Uploads: named sets of images, and the check of them before a build."""
