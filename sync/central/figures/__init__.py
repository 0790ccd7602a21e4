"""What people ask of the whole: how many, how quick, how full, how well; by locker, area, item and month."""
