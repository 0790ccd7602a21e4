"""The fleet's certificate authority, and how a locker comes to its identity: docs/operate/provisioning.md."""
