"""MaxCut on several small processors, and a wireless network that needs none."""
