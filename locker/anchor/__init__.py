"""The rollback anchor: where this journal ends, kept in a place that is not the card.

Who puts back an older image of the card puts back all that is on it. A few bytes elsewhere still know.
"""
