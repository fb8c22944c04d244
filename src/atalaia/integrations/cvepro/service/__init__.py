"""What is done with chargers, residents, tariffs and reports, whoever asks."""
