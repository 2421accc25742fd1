"""Provenance: from an icon back to its cell, samples, images, settings and code."""
