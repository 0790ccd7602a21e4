"""On which days the hall works: Monday to Friday, but for feast days and days worked in their place."""
