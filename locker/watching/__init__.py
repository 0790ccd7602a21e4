"""What an operator watches a locker by: figures for machines, one page for people, troubles for the centre.

On this machine alone. Nothing of a person, no code, no case: of doors only how many.
"""
