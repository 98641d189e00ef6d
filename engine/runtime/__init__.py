"""What drives runs: the executor, workers, timers, rescue and compensation."""
