"""Releases for lockers: an administrator lays the files down, lockers fetch them and judge whose they are."""
