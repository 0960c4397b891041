"""What stands in front of the whole server; knows neither the page nor the API."""
