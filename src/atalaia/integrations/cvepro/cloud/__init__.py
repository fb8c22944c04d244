"""The vendor's cloud: asked, translated, kept, and how well that goes."""
