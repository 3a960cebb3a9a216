"""Backup and restore, with distrust of what a backup holds."""
