"""Design criteria: the catalog and its overrides, asset types, setbacks, strategies and the request."""
