"""What a run costs: time, memory, parameters, floating-point operations and energy."""
