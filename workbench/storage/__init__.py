"""The workspace on disk and its database: tables, paths, pictures and maps, revisions."""
