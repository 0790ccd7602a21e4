"""What happens, told to other systems of the city: at least once, signed, without names or codes."""
