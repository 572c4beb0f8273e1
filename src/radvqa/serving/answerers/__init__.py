"""What answers questions behind the service: the starter model, trained runs."""
