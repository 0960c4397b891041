"""What a program sees."""
