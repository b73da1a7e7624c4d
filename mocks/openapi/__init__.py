"""OpenAPI 3.1 documents of the services, and of their admin API."""
