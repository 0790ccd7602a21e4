"""What becomes of a case between the locker and the department: checks, papers still owed, decisions."""
