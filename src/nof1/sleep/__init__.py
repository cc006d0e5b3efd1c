"""What a night is: sessions, how they become nights, and what is measured of them. No files, no clock."""
