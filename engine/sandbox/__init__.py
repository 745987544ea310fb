"""Running untrusted Python: ``pool`` is outside the walls, ``worker`` and ``program`` inside."""
