"""Where computing happens; knows neither the page nor the API."""
