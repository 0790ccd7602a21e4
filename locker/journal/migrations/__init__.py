"""Numbered SQL that brings a journal of any older schema to the present one."""
