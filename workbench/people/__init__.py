"""People and access: the person acting, sign-in, roles, and the gate that filters requests."""
