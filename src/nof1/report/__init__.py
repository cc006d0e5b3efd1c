"""Estimates in words, figures and pages."""
