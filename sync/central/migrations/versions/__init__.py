"""Steps of the schema, one file each. How to add one: docs/hub.md."""
