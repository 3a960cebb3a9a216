"""What the pages stand on: the workspace on disk, its database, jobs, building, inspecting and the sample."""
