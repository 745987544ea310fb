"""Model servers behind one call; ``chat.py`` is the seam."""
