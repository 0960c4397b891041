"""What a network reaches, and how far its answers and maps can be relied on."""
