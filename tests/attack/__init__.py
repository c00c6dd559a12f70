"""What an attack tries, and what held."""
