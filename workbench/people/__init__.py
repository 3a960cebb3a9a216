"""Who is acting and signs in, what a role allows, and which requests get through."""
