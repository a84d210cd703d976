"""The pages and JSON calls a customer meets."""
