"""The embedded defaults, PostgreSQL and a small chat model: one server each per data folder, shared by processes."""
