"""`python -m app` starts the page."""

from app.main import main

main()
