"""What is said to a locker of things that wait: new codes, agents, longer holds, recalls, rights."""
