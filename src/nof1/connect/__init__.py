"""How exports become sleep sessions."""
