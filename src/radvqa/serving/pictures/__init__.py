"""Pictures that were handed to the service: taken in, decoded apart, kept in memory, shown."""
