"""What stands around every page: the sidebar, signing in, and the server's front."""
