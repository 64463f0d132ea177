"""The HTTP door: routes, parsing, problems, authentication, documentation."""
