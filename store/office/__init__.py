"""The owner's back office; every page needs a signed-in member of staff."""
