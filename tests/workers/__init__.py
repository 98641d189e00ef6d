"""Workers in numbers, as processes: killed by their runs, told to stop, stopped for a while, of two versions."""
