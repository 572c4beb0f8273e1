"""What more data would buy: power laws with a floor, their intervals, and what they predict."""
