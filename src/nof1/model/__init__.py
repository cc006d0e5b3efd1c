"""Nights and schedule → posterior → estimate → verdict. PyMC, nutpie and ArviZ are imported here only, and late."""
