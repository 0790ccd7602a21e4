"""What is personal leaves the centre in time; what happened stays."""
