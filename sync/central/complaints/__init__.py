"""What people could not get done (办不成事), how it was put right, and what they say of their visits."""
