"""What a stranger installs: locks, the bootstrap and the wheel."""
