"""Readers of wearables' exports: one folder a vendor, each found through the entry points of ``nof1.connectors``."""
