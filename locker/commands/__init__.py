"""What the control socket answers: one module a family of questions, each gives a mapping of name to answer.

A question is a JSON object with ``do`` and the keys that the answer names. A problem is a value:
``{"ok": False, "problem": …}``.
"""
