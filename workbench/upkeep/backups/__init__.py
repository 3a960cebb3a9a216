"""Backup and restore; the contents of a backup are distrusted."""
